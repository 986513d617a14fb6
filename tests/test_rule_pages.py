"""Every rule page is its own test: what it calls bad is found, what it calls fixed is what the fix makes of it."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace

import pytest
import yaml
from examples import EXAMPLES, bad_of, examples_of, section

from adalint.engine import check_source, fix_source
from adalint.findings import Effect, Safety
from adalint.rulebook.pages import PageError, load, load_page, rules_directory
from adalint.settings import Settings
from adalint.source import Kind

RULES = list(load().rules.values())
EVERYTHING = Settings(pedantic=True)


def settings_of(example):
    # ADA507 says of every saved adapter that it is one, whatever the page that shows it is about.
    ignore = () if example.rule.code == "ADA507" else ("ADA507",)
    return replace(EVERYTHING, target_transformers=example.words.get("transformers"), ignore=ignore)


@pytest.mark.parametrize("example", section("Bad"), ids=str)
def test_a_bad_example_yields_its_rule_at_its_marked_line(example):
    report = check_source(example.source, settings_of(example))
    found = [(finding.code, example.source.row_of(finding.span.start)) for finding in report.findings]
    assert found == [(example.rule.code, int(example.words["line"]))]


@pytest.mark.parametrize("example", section("Good"), ids=str)
def test_a_good_example_is_clean_under_all_rules(example):
    assert check_source(example.source, settings_of(example)).findings == ()


@pytest.mark.parametrize("example", section("Fixed"), ids=str)
def test_a_fixed_example_is_what_the_fix_makes_of_the_bad_one(example):
    bad = bad_of(example)
    [finding] = check_source(bad.source, settings_of(bad)).findings
    assert bad.source.apply(finding.fixes[int(example.words["fix"]) - 1].edits).text == example.text


@pytest.mark.parametrize("example", section("Fixed"), ids=str)
def test_a_fixed_example_is_clean_and_fixing_it_again_changes_nothing(example):
    assert check_source(example.source, settings_of(example)).findings == ()
    assert fix_source(example.source, settings_of(example), Safety.UNSAFE).after == example.source


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_example_but_those_of_ada901_parses(example):
    if example.rule.code == "ADA901" and example.section == "Bad":
        return
    match example.source.kind:
        case Kind.PYTHON:
            ast.parse(example.text)
        case Kind.JSON:
            json.loads(example.text)
        case Kind.YAML:
            list(yaml.safe_load_all(example.text))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_has_all_its_parts(rule):
    headings = re.findall(r"^## (.+)$", rule.body, re.MULTILINE)
    assert [heading for heading in headings if heading != "Fixed"] == [
        "What it does",
        "Why it matters",
        "Bad",
        "Good",
        "Fix safety",
        "References",
    ]
    sections = {example.section for example in examples_of(rule)}
    # Bytes that are no text cannot stand in a page.
    assert ({"Good"} if rule.code == "ADA904" else {"Bad", "Good"}) <= sections


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_shows_a_fixed_example_exactly_when_a_fix_can_be_applied(rule):
    shown = {(int(example.words["fix"])) for example in examples_of(rule) if example.section == "Fixed"}
    applicable = [fix for fix in rule.fixes if fix.effect is not Effect.DISPLAY]
    assert bool(shown) == bool(applicable)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_is_as_complete_in_chinese_as_in_english(rule):
    chinese = [rule.summary_zh]
    for case in rule.cases:
        assert len(case.message) == len(case.message_zh)
        chinese += ["".join(part for part in template.parts if isinstance(part, str)) for template in case.message_zh]
    for fix in rule.fixes:
        chinese.append("".join(part for part in fix.title_zh.parts if isinstance(part, str)))
        assert {part.text for part in fix.title.parts if not isinstance(part, str)} == {
            part.text for part in fix.title_zh.parts if not isinstance(part, str)
        }
    assert all(re.search(r"[一-鿿]", text) for text in chinese)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_a_rule_supersedes_exists(rule):
    assert set(rule.supersedes) <= set(load().rules)


GOOD_PAGE = (rules_directory() / "ADA204-delta-t-not-positive.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('when = "deltaT == 0"', 'when = "__import__(1)"', "not allowed"),
        ('when = "deltaT == 0"', 'when = "deltaT =="', "no expression"),
        ('when = "deltaT == 0"\n', "", "exactly one of"),
        ('stage = "first mask"', 'stage = "later"', "none of construction"),
        ('severity = "error"', 'severity = "fatal"', "fatal"),
        ('severity = "error"', 'severity = "error"\ncolour = "red"', "unknown key 'colour'"),
        ("do = [{ set =", "do = [{ paint =", "a step of a fix is one of"),
        ('fix = ["每一步都剪枝：deltaT=1，即 PEFT 的默认值"]', "fix = []", "must translate all 1"),
        ('name = "delta-t-not-positive"', 'name = "other"', "must be called ADA204-other.md"),
        ("+++\ncode", "code", "between two lines of +++"),
    ],
)
def test_a_page_that_breaks_the_format_is_refused_with_the_reason(tmp_path, old, new, reason):
    assert GOOD_PAGE.count(old) >= 1
    page = tmp_path / "ADA204-delta-t-not-positive.md"
    page.write_text(GOOD_PAGE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PageError, match=re.escape(reason)) as error:
        load_page(page)
    assert str(error.value).startswith("ADA204-delta-t-not-positive.md: ")
