"""Whole training scripts, broken and fixed: what adalint finds in them, what it repairs, and what then happens in PEFT."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from commands import run
from training_fixtures import FOLDER, NAMES, ending, files, marks, unmarked

import adalint

# By cell and line in it, both from one, or by line.
UNMARKED = {
    "finetune.ipynb": [("ADA101", 6, 3), ("ADA201", 6, 1), ("ADA406", 8, 9)],
    "TUTORIAL.md": [("ADA102", None, 35), ("ADA201", None, 31), ("ADA402", None, 60)],
}
"""What is to be found where a mark would be part of the document."""

REACHES = "reaches its budget"


class After(NamedTuple):
    """What a repaired script does, and the findings that are left in it."""

    how: str = REACHES
    left: frozenset[str] = frozenset()


AFTER = {
    "TUTORIAL.md": After("raises ValueError", frozenset({"ADA201"})),
    "accelerate_accumulate.py": After(),
    "accumulation.py": After("raises KeyError", frozenset({"ADA408"})),
    "causal_lm.py": After(),
    "classify_trainer.py": After(),
    "every_tenth_step.py": After(),
    "finetune.ipynb": After(),
    "fp16_scaler.py": After("misses its budget", frozenset({"ADA423"})),
    "lightning_module.py": After("saves another model than the one in memory", frozenset({"ADA404"})),
    "plain_torch.py": After(),
    "project": After("raises ValueError", frozenset({"ADA201"})),
    "runner_class.py": After("misses its budget", frozenset({"ADA409"})),
    "sft.py": After(),
    "summarize_seq2seq.py": After(),
    "swallowed.py": After("never prunes", frozenset({"ADA402", "ADA411"})),
    "trainer_subclass.py": After("saves another model than the one in memory", frozenset({"ADA404"})),
    "vit_function.py": After(),
}
"""What `fix --unsafe-fixes` makes of each broken script; README beside the scripts gives the reasons for what is left."""


def check(folder):
    return [
        (Path(report.source.path).name, finding.code, report.start(finding))
        for report in adalint.check_paths([folder], flags=adalint.Flags(select=("ALL",), isolated=True))
        for finding in report.findings
    ]


def codes(folder):
    return frozenset(code for _, code, _ in check(folder))


def repaired(name, folder):
    place = unmarked(name, "broken", folder)
    run("fix", "--isolated", "--unsafe-fixes", "--select", "ALL", str(place))
    return place


def test_there_are_enough_scripts_and_each_is_there_broken_and_fixed():
    assert len(NAMES) >= 12
    assert sorted(path.name for path in (FOLDER / "broken").iterdir()) == NAMES
    for name in NAMES:
        broken, fixed = files(name, "broken"), files(name, "fixed")
        assert [path.name for path in broken] == [path.name for path in fixed]
        assert [path.read_bytes() for path in broken] != [path.read_bytes() for path in fixed]


@pytest.mark.parametrize("name", NAMES)
def test_a_fixed_script_is_clean(name, tmp_path):
    assert check(unmarked(name, "fixed", tmp_path / "it")) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_fixed_script_prunes_to_its_budget_in_memory_and_on_disk(name, tmp_path, monkeypatch):
    assert ending(unmarked(name, "fixed", tmp_path / "it"), monkeypatch).how == REACHES


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_script_gets_the_findings_that_are_written_in_it(name, tmp_path):
    seen = check(unmarked(name, "broken", tmp_path / "it"))
    if name in UNMARKED:
        assert sorted((code, at.cell, at.row) for _, code, at in seen) == UNMARKED[name]
    else:
        assert sorted((file, code, at.row) for file, code, at in seen) == marks(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_script_does_not_do_what_was_meant(name, tmp_path, monkeypatch):
    assert ending(unmarked(name, "broken", tmp_path / "it"), monkeypatch).how != REACHES


@pytest.mark.parametrize("name", NAMES)
def test_repairing_gives_what_is_written_here(name, tmp_path, monkeypatch):
    place = repaired(name, tmp_path / "it")
    after = ending(place, monkeypatch)
    assert After(after.how, codes(place)) == AFTER[name]


def test_the_table_has_every_script_once():
    assert sorted(AFTER) == NAMES


def test_the_readme_tells_what_becomes_of_each_script():
    rows = dict(
        re.findall(
            r"^\| `([^`]+)` \|.*\| ([^|]+) \|$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert sorted(name.rstrip("/") for name in rows) == NAMES
    for name, told in rows.items():
        after = AFTER[name.rstrip("/")]
        assert told.startswith("repaired") == (after.how == REACHES)
        assert set(re.findall(r"ADA\d{3}", told)) == after.left


def test_the_readme_tells_the_repair_rate():
    [told] = re.findall(r"Repaired: (\d+) of (\d+)\.", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert tuple(map(int, told)) == (sum(after.how == REACHES for after in AFTER.values()), len(NAMES))
