"""What adalint says that a framework hands to PEFT is what the real framework hands to PEFT.

The answers were recorded once (`tests/frameworks_env.py`); the slow part asks again.
"""

from __future__ import annotations

import pytest
from frameworks_env import FRAMEWORKS, TEXTS, ask_anew, recorded

from adalint.dialects import records
from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.plan import assemble
from adalint.readers import read_sites
from adalint.rulebook.judge import fire
from adalint.rulebook.pages import load as load_rules
from adalint.settings import Settings
from adalint.source import Source, kind_of
from adalint.values import UNKNOWN, Literal

ANSWERS = recorded()["answers"]
RECORDS = {record.title: record for record in records()}


def site_of(answer):
    [site] = read_sites(Source.decode(answer["file"], kind_of(answer["file"]), answer["text"].encode()))
    return site


def name_of(answer):
    return f"{answer['framework']}: {answer['text'].splitlines()[-1].strip()}"


def of_kind(kind):
    return pytest.mark.parametrize("answer", [one for one in ANSWERS if kind in one], ids=name_of)


@of_kind("fields")
def test_a_configuration_is_read_as_the_framework_builds_it(answer):
    site = site_of(answer)
    values = assemble(site).values
    told = {name: value for name, value in answer["fields"].items() if values[name] is not UNKNOWN}
    if "r" not in site.values:
        told.pop("r")  # where it makes the scale, it is no rank that is written in vain
    assert told == {name: values[name].value for name in told}
    # Only the framework knows how long a run of epochs is.
    assert answer["fields"].keys() - told.keys() <= {"total_step", "r"}


@of_kind("refused")
def test_a_value_that_the_framework_refuses_itself_is_not_judged(answer):
    site = site_of(answer)
    key = answer["text"].splitlines()[-1].partition(":")[0].strip()
    [field] = [name for name in site.values if site.framework.key_of(name) == key]
    assert site.values[field].expr is UNKNOWN


@of_kind("unknown")
def test_a_key_that_the_framework_does_not_know_is_no_field(answer):
    site = site_of(answer)
    keys = {word.removeprefix("--") for word in answer["unknown"] if word.startswith("--")}
    assert keys
    assert not keys & {site.framework.key_of(name) for name in site.values if site.framework.key_of(name) != name}


RENAMED = [(title, one) for title, record in RECORDS.items() if title in FRAMEWORKS for one in record.renamed]


@pytest.mark.parametrize(("title", "renaming"), RENAMED, ids=lambda one: getattr(one, "key", None))
def test_a_renamed_option_is_unknown_to_the_framework_and_found(title, renaming):
    answer = next(one for one in ANSWERS if f"--{renaming.key}" in one.get("unknown", ()))
    found = [one.at for one in fire(site_of(answer), load_rules(), "0.20.0") if one.rule.code == "ADA603"]
    assert found == [(renaming.key,)]


def says_it_twice(text):
    """Tell whether a text says one thing under two names: only its author knows which is meant."""
    return any(text.count(word) > 1 for word in ("_type: adalora", "adalora_delta"))


FIXABLE = [one for one in ANSWERS if "unknown" in one and "ALL" not in one["text"] and not says_it_twice(one["text"])]
BY_TEXT = {answer["text"]: answer for answer in ANSWERS}


@pytest.mark.parametrize("answer", FIXABLE, ids=name_of)
def test_what_the_fix_of_a_renamed_option_writes_is_taken_by_the_framework(answer):
    source = Source.decode(answer["file"], kind_of(answer["file"]), answer["text"].encode())
    after = fix_source(source, Settings(select=("ADA603",)), Safety.SAFE).after
    assert "fields" in BY_TEXT[after.text]


def test_a_renamed_option_with_a_word_that_the_framework_does_not_know_any_more_has_no_fix():
    [answer] = [one for one in ANSWERS if "lora_target_modules: ALL" in one["text"]]
    source = Source.decode(answer["file"], kind_of(answer["file"]), answer["text"].encode())
    [finding] = check_source(source, Settings(select=("ADA603",))).findings
    assert finding.fixes == ()


@pytest.mark.parametrize("title", FRAMEWORKS)
def test_a_default_of_a_record_is_what_the_framework_hands_on_where_nothing_is_written(title):
    answer = next(one for one in ANSWERS if one["framework"] == title and "fields" in one)
    defaults = {name: value for name, value in RECORDS[title].defaults.items() if name in answer["fields"]}
    assert defaults == {name: answer["fields"][name] for name in defaults}


def test_the_newest_release_of_a_record_is_the_one_that_was_asked():
    assert {title: RECORDS[title].newest for title in FRAMEWORKS} == FRAMEWORKS == recorded()["releases"]


def test_an_answer_can_be_told_from_another():
    assert Literal(24) == assemble(site_of(ANSWERS[0])).values["init_r"]
    assert len({str(one.get("fields")) for one in ANSWERS}) > 12


def test_ms_swift_gives_the_allocator_what_its_record_says():
    """Two micro-batches make one optimizer step here, and one call."""
    shown, record = recorded()["allocator"]["ms-swift"], RECORDS["ms-swift"]
    first = record.driver.first
    assert (record.driver.who, record.driver.every) == ("framework", "optimizer step")
    assert shown["calls"] == list(range(first, first + shown["max_steps"]))
    assert shown["total_step"] == shown["max_steps"]
    assert (record.total_step.source, record.total_step.key) == ("framework", "max_steps")


FORWARD = recorded()["forward"]["ms-swift"]


@pytest.mark.parametrize("weight", [one for one in FORWARD if "loss" not in one])
def test_a_weight_on_which_the_forward_pass_of_ms_swift_raises_is_found(weight):
    text = f"tuner_type: adalora\nmodel: Qwen/Qwen2.5-7B-Instruct\nadalora_orth_reg_weight: {weight}\n"
    site = site_of({"file": "config.yaml", "text": text})
    fired = [one for one in fire(site, load_rules(), "0.20.0") if one.rule.code == "ADA306"]
    raised = FORWARD[weight]
    assert [one.outcome().exception for one in fired] == ([] if raised is None else [raised])


def test_the_forward_pass_of_ms_swift_raises_nothing_where_the_loss_is_computed_outside():
    assert {shown for weight, shown in FORWARD.items() if "loss" in weight} == {None}


@pytest.mark.slow
def test_the_real_frameworks_still_answer_what_was_recorded(request):
    anew = ask_anew(request.config.cache.mkdir("frameworks"))
    assert [(one["framework"], one["file"], one["text"]) for one in ANSWERS] == TEXTS
    assert anew["answers"] == [
        {key: one[key] for key in one.keys() & {"fields", "unknown", "refused"}} for one in ANSWERS
    ]
    assert anew["allocator"] == recorded()["allocator"]
    assert anew["forward"] == recorded()["forward"]
