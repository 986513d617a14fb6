"""What adalint says that a framework hands to PEFT is what the real framework hands to PEFT.

The answers were recorded once (`tests/frameworks_env.py`); the slow part asks again.
"""

from __future__ import annotations

import pytest
import yaml
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
from adalint.spaces import at_corner, corners
from adalint.values import UNKNOWN, Literal

ANSWERS = recorded()["answers"]
RECORDS = {record.title: record for record in records()}


def sites_of(answer):
    return read_sites(Source.decode(answer["file"], kind_of(answer["file"]), answer["text"].encode()))


def site_of(answer):
    [site] = sites_of(answer)
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


@of_kind("drawn")
def test_a_search_is_read_with_the_ends_that_the_framework_draws(answer):
    found = {}
    for site in sites_of(answer):
        for corner in corners(site) if site.spaces else ():
            values = assemble(at_corner(site, corner)).values
            for name in answer["drawn"]:
                found.setdefault(name, set()).add(values[name].value)
    if "lora_alpha" in found:
        found["r"] = set(answer["drawn"]["r"])  # where it makes the scale, it is no rank that is written in vain
    assert {name: [min(values), max(values)] for name, values in found.items()} == answer["drawn"]


@of_kind("other")
def test_a_configuration_of_which_the_framework_makes_no_adalora_is_silent(answer):
    assert "ADALORA" not in answer["other"]
    assert sites_of(answer) == []


@of_kind("own")
def test_a_block_for_an_adalora_of_its_own_is_in_force_where_the_framework_says_so(answer):
    own = answer["own"]
    assert bool(sites_of(answer)) == (own is not None and own["lora_type"] == "adalora")


@of_kind("own")
def test_a_key_of_a_block_for_an_adalora_of_its_own_is_the_field_that_the_framework_sets(answer):
    written, record = yaml.full_load(answer["text"])["adalora"], RECORDS[answer["framework"]]
    if answer["own"] is None:
        return
    targets = {key: target.to[0] for key, [target] in record.keys.items() if key in written}
    assert {name: written[key] for key, name in targets.items()}.items() <= answer["own"].items()
    assert (written.keys() - record.keys.keys() - {"with_lora", "enable", "lora_type"}).isdisjoint(answer["own"])


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


@pytest.mark.parametrize("title", sorted({one["framework"] for one in ANSWERS if "fields" in one}))
def test_a_default_of_a_record_is_what_the_framework_hands_on_where_nothing_is_written(title):
    answer = next(one for one in ANSWERS if one["framework"] == title and "fields" in one)
    defaults = {name: value for name, value in RECORDS[title].defaults.items() if name in answer["fields"]}
    assert defaults == {name: answer["fields"][name] for name in defaults}


def test_the_newest_release_of_a_record_is_the_one_that_was_asked():
    assert {title: RECORDS[title].newest for title in FRAMEWORKS} == FRAMEWORKS == recorded()["releases"]


def test_an_answer_can_be_told_from_another():
    assert Literal(24) == assemble(site_of(ANSWERS[0])).values["init_r"]
    assert len({str(one.get("fields")) for one in ANSWERS}) > 12


def test_textgen_gives_the_allocator_nothing():
    calls = [one["calls"] for one in ANSWERS if "calls" in one]
    assert len(calls) > 3
    assert not any(calls)
    assert (RECORDS["textgen"].driver.who, RECORDS["textgen"].total_step.source) == ("nobody", "missing")


OF_OPTIMUM_HABANA = recorded()["allocator"]["optimum-habana"]


@pytest.mark.parametrize("shown", OF_OPTIMUM_HABANA.values(), ids=OF_OPTIMUM_HABANA)
def test_optimum_habana_gives_the_allocator_what_its_record_says(shown):
    """It is called in every micro-batch, before the optimizer's step, and a final phase that is too long goes."""
    record, steps = RECORDS["optimum-habana"], shown["max_steps"]
    first, times = record.driver.first, shown["micro_batches"]
    expected = [step for step in range(first, first + steps) for _ in range(times)]
    assert (record.driver.who, record.driver.every) == ("framework", "micro batch")
    assert shown["calls"] == expected[: len(shown["calls"])]
    assert (len(shown["calls"]) == len(expected)) == (shown["raised"] is None)
    assert (record.total_step.source, shown["total_step"]) == ("framework", steps)
    assert shown["tfinal"] == (shown["written"] if shown["written"] <= steps else 0)


def test_optimum_habana_raises_where_a_final_phase_begins_in_the_first_of_several_micro_batches():
    raised = {(one["tfinal"] > 0, one["micro_batches"] > 1): one["raised"] for one in OF_OPTIMUM_HABANA.values()}
    assert raised == {(True, True): "KeyError", (True, False): None, (False, True): None, (False, False): None}


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
    assert anew["answers"] == [{key: one[key] for key in one.keys() - {"framework", "file", "text"}} for one in ANSWERS]
    assert anew["allocator"] == recorded()["allocator"]
    assert anew["forward"] == recorded()["forward"]
