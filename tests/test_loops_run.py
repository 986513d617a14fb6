"""What the training scripts of ``tests/loops`` do when they are run with the real PEFT, against what their headers say."""

from __future__ import annotations

from collections import Counter

import pytest
from loop_runs import FOLDER, STYLES, repaired, run, said, scripts

SCRIPTS = scripts()
MENDED = [script for script in SCRIPTS if script.fixed]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_there_are_many_shapes_and_half_of_them_are_innocent():
    assert len(SCRIPTS) >= 110
    assert sum(not script.expected for script in SCRIPTS) >= 50
    assert len({script.text for script in SCRIPTS}) == len(SCRIPTS) == len(list(FOLDER.glob("*.py")))


def test_every_style_is_written_several_times():
    styles = Counter(script.style for script in SCRIPTS)
    assert styles.keys() == STYLES
    assert min(styles.values()) >= 4


def test_a_name_tells_what_is_wrong_with_a_script():
    for script in SCRIPTS:
        codes = {code for code, _ in script.expected}
        assert script.name.startswith("ok_") if not codes else f"ADA{script.name[1:4]}" in codes


def test_every_innocent_script_that_allocates_reaches_its_budget():
    for script in SCRIPTS:
        if not script.expected and "never allocates" not in script.runs:
            assert any(clause in {"live 8 kept 8", "live 8/8 kept 8/8", "live 12 kept 12"} for clause in script.runs)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_does_what_its_header_says(script, tmp_path):
    assert said(run(script.text), script.runs, tmp_path / "saved") == script.runs


@pytest.mark.parametrize("script", MENDED, ids=lambda script: script.name)
def test_a_mended_script_runs_and_reaches_the_target_rank(script, tmp_path):
    text = repaired(script)
    assert text != script.text
    assert said(run(text), script.fixed, tmp_path / "saved") == script.fixed


def test_an_error_that_no_clause_speaks_of_is_told(tmp_path):
    clauses = ("never allocates", "live none kept none")
    assert said(run("raise KeyError"), clauses, tmp_path) == ("raises KeyError in script", *clauses)


def test_a_clause_that_is_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no clause: 'lives 8'"):
        said(run("pass"), ("lives 8",), tmp_path)


def test_watching_leaves_peft_as_it_was():
    from peft.tuners.adalora import AdaLoraModel

    before = dict(vars(AdaLoraModel))
    run("raise SystemError")
    assert dict(vars(AdaLoraModel)) == before
