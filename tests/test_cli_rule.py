from __future__ import annotations

import json

import pytest
from commands import run

from adalint.rulebook.pages import load

RULES = list(load().rules.values())


@pytest.mark.parametrize("handle", ["ADA102", "ada102", "target-rank-not-below-initial"])
def test_a_rule_is_found_by_code_and_name(handle: str) -> None:
    result = run("rule", handle)
    assert result.exit_code == 0
    assert result.stdout.startswith("ADA102 target-rank-not-below-initial (error)\n")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_is_shown_whole_without_its_front_matter(rule: object) -> None:
    shown = run("rule", rule.code).stdout  # type: ignore[attr-defined]
    assert rule.body.strip() in shown  # type: ignore[attr-defined]
    assert "+++" not in shown


@pytest.mark.parametrize(
    ("handle", "near"),
    [
        ("ADA1022", "did you mean 'ADA102'?"),
        ("target-rank-not-below-inital", "did you mean 'target-rank-not-below-initial'?"),
        ("zzz", "no rule is called 'zzz'; `adalint rules` lists them"),
    ],
)
def test_an_unknown_rule_is_2_with_the_nearest(handle: str, near: str) -> None:
    result = run("rule", handle)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert near in result.stderr


def test_the_table_has_a_line_for_each_rule() -> None:
    lines = run("rules").stdout.splitlines()
    assert lines[0].split() == ["code", "name", "severity", "where", "fixes", "summary"]
    assert [line.split()[:3] for line in lines[1:]] == [[rule.code, rule.name, rule.severity] for rule in RULES]


def test_the_table_in_json_has_every_rule() -> None:
    rows = json.loads(run("rules", "--output-format", "json").stdout)
    assert [row["code"] for row in rows] == [rule.code for rule in RULES]
    assert {tuple(row) for row in rows} == {("code", "name", "severity", "where", "fixes", "summary")}
