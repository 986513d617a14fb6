"""The snippet corpus: Python in ten personal styles, written from the contract (RULES.md) alone.

Each file of ``tests/snippets`` holds fenced blocks ``python expect="ADA101@7 ADA302@9"``: the code and the 1-based row of
the finding's primary span. An expectation follows the rulebook, never the implementation. A block speaks about the
configuration rules (1xx to 3xx), so findings of other blocks are left aside here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adalint.engine import check_source
from adalint.settings import Settings
from adalint.source import Kind, Source

FOLDER = Path(__file__).parent / "snippets"
STYLES = (
    "argparse_cli",
    "class_based",
    "dataclass_config",
    "dict_driven",
    "factory_functions",
    "hf_trainer",
    "notebook_export",
    "registry_and_tables",
    "research_script",
    "terse_and_odd",
)

BLOCK = re.compile(r'^```python expect="([^"\n]*)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
EXPECTATION = re.compile(r"(ADA[123]\d\d)@([1-9]\d*)")


def _expected(written: str) -> list[tuple[str, int]]:
    matches = [EXPECTATION.fullmatch(word) for word in written.split()]
    assert all(matches), f"malformed expectation: {written!r}"
    return sorted((match[1], int(match[2])) for match in matches if match)


def _cases() -> list[tuple[str, str, list[tuple[str, int]]]]:
    return [
        (f"{style}-{number}", match[2], _expected(match[1]))
        for style in STYLES
        for number, match in enumerate(BLOCK.finditer((FOLDER / f"{style}.md").read_text(encoding="utf-8")), 1)
    ]


CASES = _cases()


def test_the_corpus_is_large_and_mostly_innocent() -> None:
    assert len(CASES) >= 320
    assert 2 * sum(not expected for _, _, expected in CASES) >= len(CASES)
    assert len({text for _, text, _ in CASES}) == len(CASES)


def test_no_block_and_no_file_is_overlooked() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == sorted(STYLES)
    fences = sum(
        line.startswith("```python") for path in FOLDER.glob("*.md") for line in path.read_text("utf-8").splitlines()
    )
    assert fences == len(CASES)


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_snippet(text: str, expected: list[tuple[str, int]]) -> None:
    compile(text, "snippet.py", "exec")
    assert all(row <= text.count("\n") for _, row in expected)
    source = Source.decode("snippet.py", Kind.PYTHON, text.encode())
    found = sorted(
        (finding.code, source.row_of(finding.span.start))
        for finding in check_source(source, Settings()).findings
        if re.fullmatch(r"ADA[123]\d\d", finding.code)
    )
    assert found == expected
