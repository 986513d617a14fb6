"""Which mappings of JSON and YAML are AdaLoRA configurations, and which are their innocent neighbours."""

from __future__ import annotations

import json

import pytest

from adalint.readers.errors import ReadError, TemplateError
from adalint.readers.mappings import read_sites
from adalint.site import Site, Surface
from adalint.source import Source, kind_of
from adalint.values import UNKNOWN, Literal, Symbol


def sites_of(text: str, path: str = "config.yaml") -> list[Site]:
    kind = kind_of(path)
    assert kind is not None
    return read_sites(Source.decode(path, kind, text.encode()))


def site_of(text: str, path: str = "config.yaml") -> Site:
    (site,) = sites_of(text, path)
    return site


SAVED = {"peft_type": "ADALORA", "init_r": 12, "target_r": 8, "inference_mode": True, "total_step": None}


def test_an_adapter_config_is_a_site_with_all_its_values() -> None:
    text = json.dumps(SAVED, indent=2)
    site = site_of(text, "out/checkpoint-10/adapter_config.json")
    assert site.surface is Surface.ADAPTER_CONFIG
    assert site.saved
    assert {name: value.expr for name, value in site.values.items()} == {
        name: Literal(value) for name, value in SAVED.items()
    }
    value = site.values["target_r"]
    assert (site.source.slice(value.key_span), site.source.slice(value.span), value.text) == ('"target_r"', "8", "8")
    assert site.source.slice(site.head) == "{"
    assert site.source.slice(site.span) == text


@pytest.mark.parametrize("written", [False, None, "true"])
def test_an_adapter_config_that_is_not_for_inference_is_not_saved(written: object) -> None:
    assert not site_of(json.dumps(SAVED | {"inference_mode": written}), "adapter_config.json").saved


def test_peft_type_in_another_case_counts_in_an_adapter_config_only() -> None:
    text = '{"peft_type": "AdaLora", "init_r": 8}'
    assert site_of(text, "adapter_config.json").values["peft_type"].expr == Literal("AdaLora")
    elsewhere = site_of(text, "config.json")
    assert elsewhere.surface is Surface.CONTAINER
    assert list(elsewhere.values) == ["init_r"]


@pytest.mark.parametrize(
    ("path", "text", "surface"),
    [
        ("a.json", '{"peft": {"peft_type": "ADALORA", "r": 8}}', Surface.PEFT_TYPE),
        ("a.yaml", "peft_type: ADALORA\ntask_type: CAUSAL_LM\n", Surface.PEFT_TYPE),
        ("a.yaml", "adapters:\n- peft_type: ADALORA\n  init_r: 8\n- peft_type: LORA\n  r: 8\n", Surface.PEFT_TYPE),
        ("a.yaml", "_target_: peft.AdaLoraConfig\ninit_r: 8\n", Surface.TARGET),
        ("a.yaml", "p:\n  _target_: peft.tuners.adalora.config.AdaLoraConfig\n", Surface.TARGET),
        ("a.yaml", "p: {class_path: peft.AdaLoraConfig, init_args: {init_r: 8}}\n", Surface.CLASS_PATH),
        ("a.json", '{"adalora": {"init_r": 8, "target_r": 4}}', Surface.BLOCK),
        ("a.yaml", "adalora:\n  r: 16\n  lora_alpha: 32\n", Surface.BLOCK),
        ("a.yaml", "train:\n  peft:\n    AdaLoRA: {r: 16}\n", Surface.BLOCK),
        ("a.yaml", "method: adalora\nadalora: {init_r: 8}\nlora: {r: 8}\n", Surface.BLOCK),
        ("a.yaml", "peft_type: ADALORA\nadalora: {init_r: 8}\n", Surface.BLOCK),
        ("a.yaml", "peft: {type: AdaLoRA, enabled: true, adalora: {tinit: 8, with_lora: true}}\n", Surface.BLOCK),
        ("a.yaml", "method: sft\nmode: train\ntype: causal\nadalora: {init_r: 8}\n", Surface.BLOCK),
        ("a.yaml", "name: exp-${seed}\nadalora: {init_r: 8}\n", Surface.BLOCK),
        ("a.yaml", "metrics: [accuracy]\nmetric_for_best_model: eval_loss\nadalora: {init_r: 8}\n", Surface.BLOCK),
        ("a.yaml", "adalora: {init_r: 1e-4, total_step: None}\n", Surface.BLOCK),
        ("a.yaml", "status: new\nadalora: {init_r: 8, total_step: auto}\n", Surface.BLOCK),
        ("a.yaml", "a: b\n---\nadalora: {init_r: 8}\n", Surface.BLOCK),
        ("a.yaml", "defs: &x {init_r: 8}\nadalora: *x\n", Surface.BLOCK),
    ],
)
def test_a_configuration_is_found(path: str, text: str, surface: Surface) -> None:
    assert site_of(text, path).surface is surface


@pytest.mark.parametrize(
    "text",
    [
        "target_r: 3\ndeltaT: 10\ntfinal: 4 # adalora is named here\n",
        "peft_type: LORA\nadalora: {init_r: 8}\n",
        "method: lora\nadalora: {init_r: 8}\n",
        "method: ${method}\nadalora: {init_r: 8}\n",
        "method: !ENV M\nadalora: {init_r: 8}\n",
        "finetuning_type: full\npeft: {type: adalora, adalora: {init_r: 8}}\n",
        "train:\n  adapter_type: qlora\n  configs:\n    adalora: {peft_type: ADALORA, init_r: 8}\n",
        "adalora: {with_lora: false, init_r: 8, lora_type: adalora}\n",
        "use_adalora: false\nadalora: {init_r: 8}\n",
        "peft: {enabled: no, adalora: {init_r: 8}}\n",
        "peft: {enabled: '${on}', adalora: {init_r: 8}}\n",
        "adalora: {disabled: true, init_r: 8}\n",
        "_target_: mylib.AdaLoraConfig\ninit_r: 8\n",
        "_target_: peft.LoraConfig\nr: 8 # adalora\n",
        "class_path: mypeft.AdaLoraConfig\ninit_args: {init_r: 8}\n",
        "peft_type: ADALORA\n",
        "peft_type: ADALORA\nadalora_init_r: 8\nlora_alpha: 8\n",
        "adalora: {adalora_init_r: 8, r: 8}\n",
        "adapter: {type: adalora, r: 8, init_r: 12}\n",
        "adalora: {init_rank: 12, target_rank: 8, prune_every: 10}\n",
        "adalora: {r: 0.1, g: 0.2, b: 0.3}\n",
        "adalora: {replicas: 3, image: adalora}\n",
        "kind: Deployment\nmetadata: {labels: {adalora: x}}\nspec: {template: {r: 1}}\n",
        "adalora: [{init_r: 8}, {init_r: 12}]\n",
        "_target_: peft.AdaLoraConfig\ninit_r: {min: 4, max: 16}\n",
        "adalora: {init_r: [4, 8], target_r: 2}\n",
        'adalora: {init_r: "choice(4, 8)", target_r: 2}\n',
        "search_space: {adalora: {init_r: 8}}\n",
        "method: bayes\nparameters: {adalora: {init_r: 8}}\n",
        "config: {adalora: {init_r: 8}}\neval_loss: 0.3\n",
        "config: {adalora: {init_r: 8}}\nmetrics: {accuracy: 0.93}\n",
        "- config: {adalora: {init_r: 8}}\n  f1: 0.5\n",
        "status: COMPLETED\nconfig: {adalora: {init_r: 8}}\n",
        "adalora: {init_r: Initial rank, target_r: 目标秩}\n",
        "adalora: {init_r: int, target_r: int, orth_reg_weight: float}\n",
        "best_params: {adalora: {init_r: 8}}\n",
        "trials: [{params: {adalora: {init_r: 8}}}]\n",
        "wandb_version: 1\npeft: {desc: null, value: {peft_type: ADALORA, init_r: 8}}\n",
        "properties: {adalora: {init_r: 8}}\n",
        "adalora: !Config {init_r: 8}\n",
        "notes: |\n  adalora:\n    init_r: 8\n",
        "# adalora\n",
    ],
)
def test_an_innocent_neighbour_is_none(text: str) -> None:
    assert sites_of(text) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "results/adalora.json",
            '{"run_info": {"peft_config": {"peft_type": "ADALORA", "init_r": 8}}, "train_info": {}}',
        ),
        ("all_results.json", '{"adalora": {"init_r": 8}}'),
        ("trainer_state.json", '{"adalora": {"init_r": 8}}'),
        ("a.json", '{"best_trial": 3, "params": {"adalora": {"init_r": 8}}}'),
        ("adapter_config.json", '{"peft_type": "LORA", "r": 8, "adalora": {"init_r": 8}}'),
    ],
)
def test_records_and_other_adapters_are_none(path: str, text: str) -> None:
    assert sites_of(text, path) == []


def test_a_block_without_its_discriminator_is_one_of_several() -> None:
    assert len(sites_of("adalora: {init_r: 8}\nother:\n  adalora: {init_r: 9}\n")) == 2


def test_an_anchor_that_only_feeds_merges_is_none_and_its_values_are_shared() -> None:
    text = "base: &b\n  peft_type: ADALORA\n  init_r: 8\nrun:\n  <<: *b\n  target_r: 4\n"
    site = site_of(text)
    assert site.source.slice(site.span) == "<<: *b\n  target_r: 4"
    assert site.source.slice(site.head) == "run:"
    assert {name: value.shared for name, value in site.values.items()} == {
        "peft_type": True,
        "init_r": True,
        "target_r": False,
    }


def test_a_block_in_a_merged_template_is_found_once_and_shared() -> None:
    site = site_of("base: &b\n  adalora: {init_r: 8}\none:\n  <<: *b\n  x: 1\ntwo:\n  <<: *b\n  x: 2\n")
    assert site.values["init_r"].shared


def test_an_anchor_in_use_is_a_site_with_shared_values() -> None:
    site = site_of("adalora: &a {init_r: 8}\nother: *a\n")
    assert site.values["init_r"].shared


def test_an_anchor_that_nothing_uses_shares_nothing() -> None:
    site = site_of("adalora: &a {init_r: &n 8}\n")
    assert not site.values["init_r"].shared
    assert site.values["init_r"].text == "8"


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("top:\n  adalora:   # here\n    init_r: 8\n", "adalora:   # here"),
        ("peft_type: ADALORA  \ninit_r: 8\n", "peft_type: ADALORA"),
        ("x:\n - peft_type: ADALORA\n   init_r: 8\n", "- peft_type: ADALORA"),
        ("é: 1\nadalora: {init_r: 8,\n  target_r: 4}\n", "adalora: {init_r: 8,"),
        ("p:\n  class_path: peft.AdaLoraConfig\n  init_args:\n    init_r: 8\n", "init_args:"),
    ],
)
def test_the_head_is_the_first_line_of_the_mapping(text: str, head: str) -> None:
    site = site_of(text)
    assert site.source.slice(site.head) == head


def test_the_head_in_json_is_the_line_of_the_brace() -> None:
    site = site_of('{\n "adalora":\n  {\n  "init_r": 8}}', "a.json")
    assert site.source.position(site.head.start).row == 3
    assert site.source.slice(site.head) == "{"


@pytest.mark.parametrize(
    ("written", "expr"),
    [
        ("8", Literal(8)),
        ("1e-4", Literal("1e-4")),
        ("null", Literal(None)),
        ("None", Literal("None")),
        ("[q, v]", Literal(["q", "v"])),
        ("{a: [1]}", Literal({"a": [1]})),
        ("<r>", Literal("<r>")),
        ("${ranks.small}", Symbol("${ranks.small}")),
        ("${oc.env:R}", UNKNOWN),
        ("[q, '${x}']", UNKNOWN),
        ("'{{ r }}'", UNKNOWN),
        ("!ENV R", UNKNOWN),
        ("2001-01-01", UNKNOWN),
        ("[2001-01-01]", UNKNOWN),
        ("*n", Literal(3)),
    ],
)
def test_a_value_is_known_as_far_as_the_text_tells(written: str, expr: object) -> None:
    site = site_of(f"n: &n 3\nadalora:\n  init_r: 8\n  task_type: {written}\n")
    assert site.values["task_type"].expr == expr
    assert site.values["task_type"].text == (written.removeprefix("!ENV "))


def test_instantiation_keys_are_no_fields_but_peft_type_is() -> None:
    text = "_target_: peft.AdaLoraConfig\n_convert_: all\n_recursive_: false\npeft_type: ADALORA\ninit_r: 8\n"
    assert list(site_of(text).values) == ["peft_type", "init_r"]


@pytest.mark.parametrize(
    "text",
    [
        "_target_: peft.AdaLoraConfig\n_partial_: true\n",
        "_target_: peft.AdaLoraConfig\n_args_: [8]\n",
        "defaults: [base, _self_]\nadalora: {init_r: 8}\n",
        "_base_: base.yaml\nadalora: {init_r: 8}\n",
        "adalora:\n  <<: [5]\n  init_r: 8\n",
    ],
)
def test_a_mapping_that_is_completed_elsewhere_is_open(text: str) -> None:
    assert site_of(text).open


@pytest.mark.parametrize("text", ["adalora: {init_r: 8}\n", "defaults: {adalora: {init_r: 8}}\n"])
def test_a_mapping_that_shows_everything_is_not_open(text: str) -> None:
    assert not site_of(text).open


def test_a_text_that_does_not_name_adalora_is_not_even_read() -> None:
    assert sites_of("{{ not: yaml [") == []


def test_bad_texts_that_name_adalora_are_refused() -> None:
    with pytest.raises(ReadError):
        sites_of('{"adalora": ', "a.json")
    with pytest.raises(TemplateError):
        sites_of("adalora: {init_r: {{ r }} }\n")


def test_a_name_that_no_file_can_hold_is_left_out() -> None:
    site = site_of('{"peft_type": "ADALORA", "\\ud800": 1, "bias": "\\ud800"}', "adapter_config.json")
    assert list(site.values) == ["peft_type", "bias"]
    assert site.values["bias"].expr is UNKNOWN
