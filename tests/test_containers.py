"""Projects of their own that choose AdaLoRA by a word beside PEFT's names: read where that is sure, and no further."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.plan import assemble
from adalint.readers.mappings import read_sites
from adalint.settings import Settings
from adalint.site import Surface
from adalint.source import Kind, Source
from adalint.values import UNKNOWN, Literal

RANKS = "init_r: 8, target_r: 12"


def source_of(text, kind=Kind.YAML):
    return Source(f"config.{kind}", kind, text.encode())


def sites_of(text, kind=Kind.YAML):
    return read_sites(source_of(text, kind))


def codes(text):
    return [one.code for one in check_source(source_of(text), Settings()).findings]


# What chooses AdaLoRA


@pytest.mark.parametrize(
    "option",
    [
        "method: adalora",
        "method_name: adalora",
        "adapter_type: AdaLoRA",
        "ft_strategy: adalora",
        "fine_tune_mode: adalora",
        "finetune_method: adalora",
        "lora_type: adalora",
        "peft_type: adalora",
        "type: adalora",
        "use_adalora: true",
        "peft.method: adalora",
    ],
)
@pytest.mark.parametrize("around", ["{%s}\n", "peft: {%s}\n", "train: [{lr: 1.0e-4, %s}]\n"])
def test_one_word_beside_the_names_of_peft_chooses_it(option, around):
    [site] = sites_of(around % f"{option}, {RANKS}")
    assert site.surface is Surface.CONTAINER
    assert {name: value.expr for name, value in site.values.items()} == {"init_r": Literal(8), "target_r": Literal(12)}
    assert codes(around % f"{option}, {RANKS}") == ["ADA102"]


@pytest.mark.parametrize(
    "text",
    [
        f"peft: {{method: adalora, config: {{{RANKS}}}}}\n",
        f"method: adalora\nlora: {{r: 4, {RANKS}}}\n",
        f"use_adalora: true\nmodels: {{net: {{args: {{adapter_args: {{{RANKS}}}}}}}}}\n",
    ],
)
def test_a_block_of_another_name_is_chosen_by_what_is_around_it(text):
    [site] = sites_of(text)
    assert site.surface is Surface.CONTAINER
    assert codes(text) == ["ADA102"]


@pytest.mark.parametrize("key", ["adalora_config", "adalora_specific_args", "AdaLoRA_kwargs", "peft_adalora_config"])
def test_a_block_named_after_adalora_is_one_wherever_it_is_chosen(key):
    text = f"training: {{ft_strategy: adalora}}\n{key}: {{{RANKS}}}\n"
    assert [site.surface for site in sites_of(text)] == [Surface.BLOCK]
    assert codes(text) == ["ADA102"]


@pytest.mark.parametrize(
    "text",
    [
        # nobody chooses it, or another word does
        f"peft: {{{RANKS}}}  # adalora\n",
        f"method: lora\n{RANKS.replace(', ', chr(10))}\n# adalora\n",
        f"{{method: lora, variant: adalora, {RANKS}}}\n",
        f"{{method: '${{method}}', variant: adalora, {RANKS}}}\n",
        f"{{method: increlora, note: adalora, {RANKS}}}\n",
        f"{{method: adalora_loralib, {RANKS}}}\n",
        f"{{name: run-adalora-3, {RANKS}}}\n",
        f"{{use_adalora: false, {RANKS}}}\n",
        f"{{use_adalora: '${{flag}}', {RANKS}}}\n",
        f"{{description: adalora, {RANKS}}}\n",
        f"{{kind: ADALORA, name: adalora-7b, {RANKS}}}\n",
        f"{{methods: [lora, adalora], {RANKS}}}\n",
        f"{{method: adalora, enabled: false, {RANKS}}}\n",
        # names that everybody has
        "{method: adalora, deltaT: 0}\n",
        "{method: adalora, total_step: 100, r: 8, beta1: 1.0}\n",
        "method: adalora\nsolver: {tfinal: 10, deltaT: 0}\n",
        # implementations of their own, a dialect's prefix
        f"{{method: adalora, prune_every: 10, {RANKS}}}\n",
        f"{{method: adalora, mask_interval: 10, {RANKS}}}\n",
        f"{{method: adalora, adalora_init_rank: 8, {RANKS}}}\n",
        "peft: {method: adalora, adalora_init_r: 8, adalora_target_r: 12}\n",
        # Ludwig's adapter, without the rest of its configuration
        f"adapter: {{type: adalora, {RANKS}}}\n",
        # another method's block, and a search
        f"method: adalora\nvera: {{{RANKS}}}\n",
        f"method: adalora\nadapters: {{loha: {{settings: {{{RANKS}}}}}}}\n",
        f"method: adalora\ngrid: {{config: {{{RANKS}}}}}\n",
        "{method: adalora, init_r: [8, 12], target_r: 16}\n",
        "{method: adalora, init_r: {min: 4, max: 8}, target_r: 16}\n",
        # records and forms
        f"{{method: adalora, accuracy: 0.93, {RANKS}}}\n",
        f"best_config: {{method: adalora, {RANKS}}}\n",
        "{method: adalora, init_r: Initial rank, target_r: 目标秩}\n",
        # a block that nobody chooses while the document chooses another
        f"finetuning: {{method: lora}}\nadalora: {{{RANKS}}}\n",
        f"peft: {{type: dora}}\nadalora_config: {{{RANKS}}}\n",
        f"trainer: {{adapter_type: ia3}}\nmethods: {{adalora: {{{RANKS}}}}}\n",
    ],
)
def test_an_innocent_neighbour_is_none(text):
    assert sites_of(text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"model: {{type: prefix}}\nadalora: {{{RANKS}}}\n",
        f"lora: {{lora_type: lora, r: 4}}\nadalora: {{{RANKS}}}\n",
        f"runs: [{{peft_type: LORA}}, {{peft_type: ADALORA}}]\nadalora: {{{RANKS}}}\n",
        f"finetuning: {{strategy: none}}\nadalora: {{{RANKS}}}\n",
    ],
)
def test_what_is_no_choice_of_another_method_leaves_a_block_in_force(text):
    assert codes(text) == ["ADA102"]


# What is known of it


@pytest.mark.parametrize(
    "entries",
    [
        "init_r: 8",
        "target_r: 16",
        "r: 16, init_r: 12",
        "init_r: 12, beta1: 0.0",
        "init_r: 12, total_step: null",
        "init_r: 12, total_step: -1",
        "init_r: 12, total_step: 0",
        "init_r: -1, target_r: 8",
        "init_r: '8', target_r: '12'",
        "init_r: 12, tinit: 0.6, tfinal: 0.5, total_step: 1",
        "init_r: 12, tinit: -1, tfinal: -1, total_step: 1000",
        "init_r: 12, tinit: 600, tfinal: 500, max_steps: 1000",
        "init_r: 12, total_step: 1000, max_steps: 5000",
        "init_r: 12, init_rr: 3, use_dora: true, loftq_config: {bits: 4}",
        "init_r: 12, orth_reg_weight: 1e-4",
        "init_r: true, target_r: 12",
        "init_r: '${a}', target_r: '${b}'",
    ],
)
def test_what_the_code_behind_it_may_mean_otherwise_is_not_judged(entries):
    text = f"{{method: adalora, {entries}}}\n"
    assert len(sites_of(text)) == 1
    assert codes(text) == []


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ("init_r: 8, target_r: 8", "ADA102"),
        ("init_r: '${rank}', target_r: '${rank}'", "ADA102"),
        ("tinit: 600, tfinal: 500, total_step: 1000", "ADA203"),
        ("init_r: 12, deltaT: 0", "ADA204"),
        ("init_r: 12, orth_reg_weight: -0.5", "ADA306"),
        ("init_r: 12, lora_dropout: 1.5", "ADA315"),
    ],
)
def test_what_no_code_could_mend_is_told(entries, code):
    assert codes(f"{{method: adalora, {entries}}}\n") == [code]


def test_what_is_not_written_is_unknown():
    [site] = sites_of("{method: adalora, init_r: 8}\n")
    plan = assemble(site)
    assert plan.values["init_r"] == Literal(8)
    assert {value for name, value in plan.values.items() if name != "init_r"} == {UNKNOWN}


def test_the_earlier_of_a_key_that_is_written_twice_is_told():
    assert codes("method: adalora\ninit_r: 8\ntarget_r: 4\ninit_r: 12\n") == ["ADA316"]


# Fixes

ENTRIES = {
    "init_r": st.sampled_from([1, 8, 12, -1]),
    "target_r": st.sampled_from([0, 4, 8, 12]),
    "tinit": st.sampled_from([0, 600, 0.1]),
    "tfinal": st.sampled_from([0, 500, 1000]),
    "deltaT": st.sampled_from([0, 1, 10, 900]),
    "total_step": st.sampled_from([-1, 1000, None]),
    "r": st.sampled_from([8, 16]),
    "beta1": st.sampled_from([0.0, 0.85]),
    "use_dora": st.booleans(),
    "lora_dropout": st.sampled_from([0.1, 2, -0.5]),
    "orth_reg_weight": st.sampled_from([0.5, -1]),
    "lr": st.just(0.0002),
}


@given(
    entries=st.fixed_dictionaries({}, optional=ENTRIES),
    kind=st.sampled_from([Kind.YAML, Kind.JSON]),
    allowed=st.sampled_from(Safety),
)
@settings(max_examples=200, deadline=None)
def test_fixes_edit_what_is_written_and_add_no_key_that_nobody_may_read(entries, kind, allowed):
    whole = {"name": "é", "peft": {"method": "adalora", **entries}}
    dump = json.dumps if kind is Kind.JSON else yaml.safe_dump
    source = source_of(dump(whole, ensure_ascii=False) if kind is Kind.JSON else dump(whole), kind)
    outcome = fix_source(source, Settings(), allowed)
    after = yaml.safe_load(outcome.after.text)
    known = {"init_r", "target_r", "tinit", "tfinal", "deltaT", "total_step", "lora_dropout", "orth_reg_weight"}
    assert after["peft"].keys() <= whole["peft"].keys()
    assert {name: value for name, value in after["peft"].items() if name not in known} == {
        name: value for name, value in whole["peft"].items() if name not in known
    }
    assert fix_source(outcome.after, Settings(), allowed).after.content == outcome.after.content
