"""What thirteen releases of PEFT showed, as recorded by `scripts/sweep_releases.py`, against what adalint says of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from config_oracle import Case, is_excluded

from adalint.plan import Plan
from adalint.releases import in_range
from adalint.rulebook.pages import load
from adalint.schema import FIELDS, Prediction, Use, defaults, fields_of, is_ignored, predict, use_of
from adalint.trace import trace
from adalint.values import Literal

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from sweep_releases import BASE, LOOPS, RELEASES, TABLE, field_probes  # noqa: E402 - a script, found by the line above

TABLED = json.loads(TABLE.read_text())
MODULES = 4

UNLIKE_ANY_RELEASE = frozenset({"peft_version", "runtime_config", "peft_type", "auto_mapping"})
"""Fields whose default is no plain value, or is set by PEFT itself."""


def shown(probe: str, release: str) -> dict[str, Any]:
    """Give the outcome of a probe in a release."""
    order = TABLED["releases"]
    for first, last, outcome in TABLED["probes"][probe]:
        if order.index(first) <= order.index(release) <= order.index(last):
            found: dict[str, Any] = outcome
            return found
    raise KeyError(probe)


def test_the_table_holds_every_release_and_every_probe():
    assert tuple(TABLED["releases"]) == RELEASES
    wanted = {"defaults", *field_probes(), *(f"loop: {name}" for name in LOOPS)}
    assert wanted == {probe for probe in TABLED["probes"] if not probe.startswith("saved: ")}


def test_every_field_is_probed():
    assert {name for values in field_probes().values() for name in values} >= set(FIELDS)


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_has_the_fields_that_the_schema_gives_it(release):
    probed = {name for name in FIELDS if any(probe.startswith(f"{name}=") for probe in TABLED["probes"])}
    for name in probed - fields_of(release):
        outcomes = [shown(probe, release) for probe in field_probes() if probe.startswith(f"{name}=")]
        assert {(one.get("stage"), one.get("exception")) for one in outcomes} == {("construction", "TypeError")}
    assert set(shown("defaults", release)) <= fields_of(release)


@pytest.mark.parametrize("release", RELEASES)
def test_the_defaults_of_the_schema_are_those_of_the_release(release):
    told = {name: value for name, value in shown("defaults", release).items() if name not in UNLIKE_ANY_RELEASE}
    assert told == {name: defaults()[name] for name in told}


OTHERWISE = {
    "target_modules=[['q_proj']]": ("0.5.0", "0.8.2", "0.10.0"),  # a list as a name matches nothing
}
"""What old releases do otherwise than is predicted; none of it is in a rule."""


@pytest.mark.parametrize("release", RELEASES)
def test_a_value_ends_as_the_schema_predicts(release):
    wrong = set()
    for probe, values in field_probes().items():
        if is_excluded(values, release):
            continue
        told = predict(values, release, loop=Case(values).loop, modules=MODULES)
        assert told is None or isinstance(told, Prediction)
        said = {} if told is None else {"stage": str(told.stage), "exception": told.exception}
        if said != {key: value for key, value in shown(probe, release).items() if key != "same"}:
            wrong.add(probe)
    assert wrong == {probe for probe, releases in OTHERWISE.items() if release in releases}


@pytest.mark.parametrize("release", RELEASES)
def test_an_option_that_the_schema_calls_ignored_changes_nothing(release):
    wrong = []
    for probe, values in field_probes().items():
        name = probe.partition("=")[0]
        found = shown(probe, release)
        if name not in FIELDS or "same" not in found:
            continue
        if is_ignored(name, Literal(values[name]), release) is True and not found["same"]:
            wrong.append(probe)
        if use_of(name, release) is Use.IGNORED and not found["same"]:
            wrong.append(probe)
    assert wrong == []


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("release", RELEASES)
def test_a_loop_ends_as_the_trace_says(release, name):
    plan = Plan({key: Literal(value) for key, value in {**defaults(), **BASE}.items()}, loop=LOOPS[name], modules=4)
    ended = trace(plan)
    found = shown(f"loop: {name}", release)
    if ended.exception is not None:
        assert found == {"exception": ended.exception, "step": ended.failing_step}
    else:
        assert found == {"live": ended.live, "kept": ended.kept}


RULE_OF_PROBE = {
    "target_r=8": "ADA102",
    "init_r=-1": "ADA103",
    "init_r=0": "ADA103",
    "total_step=None": "ADA201",
    "total_step=0": "ADA202",
    "total_step=5": "ADA203",
    "deltaT=0": "ADA204",
    "use_dora=True": "ADA303",
    "beta1=1.5": "ADA305",
    "lora_dropout=1.5": "ADA315",
    "target_modules=['embed_tokens']": "ADA309",
    "bias='some'": "ADA319",
    "delta_t=2": "ADA301",
}
"""Probes that are the mistake of one rule."""


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("probe", RULE_OF_PROBE)
def test_a_page_says_of_a_release_what_the_release_showed(probe, release):
    rule = load().rules[RULE_OF_PROBE[probe]]
    here = [one for one in rule.outcomes if in_range(release, one.peft) and (not one.where or "P" in one.where)]
    found = shown(probe, release)
    name = probe.partition("=")[0]
    if name in FIELDS and name not in fields_of(release):
        assert found == {"stage": "construction", "exception": "TypeError"}
        return
    raised = {(one.stage, one.exception) for one in here if one.exception is not None}
    if found.get("stage") and release in OTHERWISE.get(probe, ()):
        return
    silent = not raised or any(one.exception is None for one in here)
    assert (found.get("stage"), found.get("exception")) in raised | ({(None, None)} if silent else set())


SAVED = {
    "as it is": lambda release: None,
    "never allocated": lambda release: None,
    "total_step null": lambda release: "ValueError" if in_range(release, ">=0.15") else None,
    "no budgeting phase": lambda release: "ValueError" if in_range(release, ">=0.15") else None,
    "unknown key": lambda release: "TypeError" if in_range(release, ">=0.6,<0.14") else None,
    "rank_pattern null": lambda release: "RuntimeError",
    "target_r edited": lambda release: None,
    "target_r negative": lambda release: None,
    "init_r edited": lambda release: "IndexError",
    "init_r 0": lambda release: "ValueError" if in_range(release, ">=0.8,<0.10") else "IndexError",
    "init_r negative": lambda release: "ValueError" if in_range(release, ">=0.8") else "RuntimeError",
    "peft_type in lower case": lambda release: "KeyError",
}
"""The exception on loading, from the table of SEMANTICS: what the rules on saved adapters rest on."""


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("release", RELEASES)
def test_a_saved_adapter_loads_or_fails_as_the_rules_on_adapters_say(release, name):
    wanted = SAVED[name](release)
    found = shown(f"saved: {name}", release)
    assert found == ({"loads": True} if wanted is None else {"stage": "load", "exception": wanted})


@pytest.mark.slow
@pytest.mark.parametrize("release", ["0.12.0", "0.21.2"])
def test_the_sweep_shows_today_what_the_table_holds(release, tmp_path, request):
    root = request.config.cache.mkdir("peft-releases")
    made = tmp_path / "made.json"
    command = [sys.executable, str(ROOT / "scripts" / "sweep_releases.py"), release, "--output", str(made)]
    done = subprocess.run([*command, "--releases-dir", str(root)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    fresh = {probe: groups[0][2] for probe, groups in json.loads(made.read_text())["probes"].items()}
    assert fresh == {probe: shown(probe, release) for probe in fresh}
    assert fresh.keys() == TABLED["probes"].keys()
