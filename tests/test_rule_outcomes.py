"""What a rule page says that PEFT does is what PEFT does with the page's own Bad examples."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from config_oracle import Case, observe
from examples import OF_LOOPS, bad_of, section

from adalint.engine import check_source
from adalint.findings import Effect
from adalint.readers import read_sites
from adalint.releases import NEWEST
from adalint.rulebook.judge import fire
from adalint.rulebook.pages import load
from adalint.settings import Settings
from adalint.values import Literal

STEPS = ("tinit", "tfinal", "total_step")
SHORTER = 250
"""The examples train for thousands of steps; dividing the schedule keeps every stage."""


def of_configurations(examples):
    """Take what PEFT is given as it stands: no loops, and nothing that a framework makes another configuration of."""
    taken = [one for one in examples if one.file.endswith(".py") and one.rule.code not in OF_LOOPS]
    return [
        one
        for one in taken
        if one.rule.code == "ADA901" or all(site.framework is None for site in read_sites(one.source))
    ]


PYTHON = [example for example in of_configurations(section("Bad")) if example.rule.code < "ADA9"]


def shortened(values: dict[str, object]) -> dict[str, object]:
    return {
        name: (value // SHORTER if isinstance(value, int) else value / SHORTER) if name in STEPS else value
        for name, value in values.items()
    }


def known_values(example) -> dict[str, object]:
    [site] = read_sites(example.source)
    assert all(isinstance(value.expr, Literal) for value in site.values.values())
    return shortened({name: value.expr.value for name, value in site.values.items()})


@pytest.mark.parametrize("example", PYTHON, ids=str)
def test_peft_does_with_a_bad_example_what_the_page_says(example):
    [site] = read_sites(example.source)
    [fired] = fire(site, load(), NEWEST)
    claimed = fired.outcome()
    shown = observe(Case(known_values(example)))
    if claimed.stage == "silent":
        assert (shown.stage, shown.exception) == (None, None)
    else:
        exception = "ImportError" if asks_for_missing_scipy(example) else claimed.exception
        assert (str(shown.stage), shown.exception) == (claimed.stage, exception)


def asks_for_missing_scipy(example) -> bool:
    """PEFT misses SciPy before it looks at LoftQ; the page of ADA304 says so."""
    return example.rule.code == "ADA304" and find_spec("scipy") is None


FIXED = of_configurations(section("Fixed"))
LITERAL = [example for example in FIXED if "len(loader)" not in example.text]


@pytest.mark.parametrize("example", LITERAL, ids=str)
def test_peft_trains_and_saves_what_a_fix_makes_of_it(example):
    shown = observe(Case(known_values(example)))
    assert (shown.stage, shown.exception) == (None, None)


def fix_shown_by(example):
    [finding] = check_source(bad_of(example).source, Settings()).findings
    return finding.fixes[int(example.words["fix"]) - 1]


PRESERVING = [example for example in LITERAL if fix_shown_by(example).effect is Effect.PRESERVES]


@pytest.mark.parametrize("example", PRESERVING, ids=str)
def test_a_preserving_fix_gives_bit_identical_losses_and_tensors_in_peft(example):
    before = observe(Case(known_values(bad_of(example))), keep=True)
    after = observe(Case(known_values(example)), keep=True)
    assert len(before.losses) == 3000 // SHORTER
    assert before.losses == after.losses
    assert before.tensors.keys() == after.tensors.keys() != set()
    assert all(bool((before.tensors[name] == after.tensors[name]).all()) for name in before.tensors)


def test_the_examples_cover_every_rule_that_reads_python_and_every_preserving_fix():
    of_python = {code for code, rule in load().rules.items() if code < "ADA9" and "P" in rule.where}
    of_frameworks = {code for code in of_python if code.startswith("ADA6")}  # what these do, PEFT alone cannot show
    assert {example.rule.code for example in PYTHON} == of_python - of_frameworks - set(OF_LOOPS)
    assert {example.rule.code for example in PRESERVING} == {"ADA101", "ADA214", "ADA302", "ADA902", "ADA903"}
