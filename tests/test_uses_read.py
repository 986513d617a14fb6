"""Small scripts that use AdaLoRA models well and badly: what a rule is said to find is found, its neighbours are not.

The first line of a script is the verdict of a person who wrote it, in ten styles, against the rule that it names.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adalint.api import check_text
from adalint.settings import Settings

FOLDER = Path(__file__).parent / "uses"
VERDICT = re.compile(r"# (innocent|guilty) of (ADA\d{3}): .+")
SCRIPTS = sorted(FOLDER.glob("*.py"))
EVERYTHING = Settings(pedantic=True)


def _verdict(path: Path) -> tuple[bool, str]:
    match = VERDICT.fullmatch(path.read_text().splitlines()[0])
    assert match is not None, path.name
    return match[1] == "guilty", match[2]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_rule_finds_the_guilty_and_leaves_the_innocent(path):
    is_guilty, code = _verdict(path)
    found = {finding.code for finding in check_text(path.read_text(), filename=path.name, settings=EVERYTHING).findings}
    assert (code in found) is is_guilty


def test_every_rule_has_several_of_both():
    verdicts = [_verdict(path) for path in SCRIPTS]
    for code in {code for _, code in verdicts}:
        assert (False, code) in verdicts, code
    rules = {f"ADA{number}" for number in (109, 209, 210, 410, *range(412, 416), 418, 419, *range(425, 430))}
    assert rules <= {code for _, code in verdicts}
    assert rules <= {code for is_guilty, code in verdicts if is_guilty}
