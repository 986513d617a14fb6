"""The rules about single fields and their values: what fires in which kind of file, and who is innocent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from config_oracle import UNUSUAL
from omegaconf import OmegaConf

from adalint.engine import check_source, fix_source
from adalint.findings import Effect, Safety, Severity
from adalint.readers import read_sites
from adalint.releases import KNOWN, NEWEST, in_range
from adalint.rulebook.judge import fire
from adalint.rulebook.pages import load
from adalint.schema import FIELDS, Prediction, fields_of, predict
from adalint.settings import Settings
from adalint.source import Source, kind_of

if TYPE_CHECKING:
    from pathlib import Path

RUN = {"init_r": 12, "target_r": 4, "task_type": "CAUSAL_LM", "total_step": 100}
FIELD_RULES = {f"ADA{number}" for number in (*range(303, 317), 318, 319)}


def source(text: str, path: str) -> Source:
    kind = kind_of(path)
    assert kind is not None
    return Source.decode(path, kind, text.encode())


def python(values: dict[str, Any]) -> Source:
    arguments = ", ".join(f"{name}={value!r}" for name, value in values.items())
    return source(f"from peft import AdaLoraConfig\nAdaLoraConfig({arguments})\n", "a.py")


def adapter(values: dict[str, Any], *, saved: bool = False) -> Source:
    text = json.dumps({"peft_type": "ADALORA", "inference_mode": saved, **values}, indent=1)
    return source(text, "adapter_config.json")


def block(values: dict[str, Any]) -> Source:
    lines = [f"  {name}: {json.dumps(value)}" for name, value in values.items()]
    return source("\n".join(["adalora:", *lines, ""]), "a.yaml")


def instantiated(values: dict[str, Any]) -> Source:
    lines = [f"{name}: {json.dumps(value)}" for name, value in values.items()]
    return source("\n".join(["_target_: peft.AdaLoraConfig", *lines, ""]), "a.yaml")


FILES = {"python": python, "adapter": adapter, "block": block, "instantiated": instantiated}


def codes(text: Source, release: str = NEWEST, *, pedantic: bool = False) -> list[str]:
    settings = Settings(target_peft=release, pedantic=pedantic)
    return [finding.code for finding in check_source(text, settings).findings if finding.code in FIELD_RULES]


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("ADA303", {"use_dora": True}),
    ("ADA304", {"init_lora_weights": "loftq"}),
    ("ADA304", {"init_lora_weights": "loftq", "loftq_config": {"loftq_bits": 4}}),
    ("ADA305", {"beta1": 0}),
    ("ADA305", {"beta2": 1.0}),
    ("ADA305", {"beta1": -0.5}),
    ("ADA306", {"orth_reg_weight": -0.1}),
    ("ADA307", {"init_r": "16"}),
    ("ADA307", {"target_r": "4"}),
    ("ADA307", {"tinit": "10"}),
    ("ADA307", {"lora_alpha": None}),
    ("ADA307", {"target_r": None}),
    ("ADA307", {"deltaT": "2"}),
    ("ADA307", {"beta1": "0.85"}),
    ("ADA307", {"init_r": 12.0}),
    ("ADA309", {"target_modules": ["q_proj", "embed_tokens"]}),
    ("ADA309", {"target_modules": ["transformer.wte"]}),
    ("ADA310", {"target_parameters": ["experts.gate_up_proj"]}),
    ("ADA310", {"target_parameters": "experts.gate_up_proj"}),
    ("ADA310", {"alora_invocation_tokens": [1, 2]}),
    ("ADA311", {"layers_pattern": "layers"}),
    ("ADA311", {"layers_pattern": "layers", "layers_to_transform": [0], "target_modules": "all-linear"}),
    ("ADA311", {"layers_to_transform": 0, "target_modules": ".*q_proj"}),
    ("ADA311", {"lora_bias": True, "init_lora_weights": "pissa"}),
    ("ADA311", {"lora_bias": True, "init_lora_weights": None}),
    ("ADA312", {"task_type": "causal_lm"}),
    ("ADA312", {"task_type": "TEXT"}),
    ("ADA312", {"task_type": 5}),
    ("ADA315", {"lora_dropout": 1.5}),
    ("ADA318", {"lora_dropout": -0.1}),
    ("ADA319", {"bias": "None"}),
    ("ADA319", {"bias": False}),
    ("ADA319", {"bias": None}),
    ("ADA319", {"bias": "lora"}),
]


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize(("code", "values"), WRONG, ids=str)
def test_a_wrong_value_is_found_once_in_every_kind_of_file(kind: str, code: str, values: dict[str, Any]) -> None:
    assert codes(FILES[kind](RUN | values)) == [code]


INNOCENT: list[dict[str, Any]] = [
    {},
    {"use_dora": False},
    {"init_lora_weights": False, "loftq_config": {}},
    {"beta1": 0.0001, "beta2": 0.9999},
    {"orth_reg_weight": 0},
    {"target_r": 2.5, "deltaT": 2.5, "lora_alpha": 0.5},
    {"target_modules": ["embed_proj", "lm_head", "patch_embedding_proj"]},
    {"target_modules": ".*embed_tokens"},
    {"target_modules": "embed_tokens"},
    {"target_modules": ["q_proj", "embed_tokens"], "exclude_modules": ["embed_tokens"]},
    {"target_modules": ["q_proj", "embed_tokens"], "modules_to_save": ["embed_tokens"]},
    {"target_modules": ["q_proj", "embed_tokens"], "exclude_modules": ".*embed.*"},
    {"target_parameters": [], "alora_invocation_tokens": []},
    {"alora_invocation_tokens": [1, 2], "task_type": "SEQ_CLS"},
    {"layers_pattern": "layers", "layers_to_transform": [0], "target_modules": ["q_proj"]},
    {"layers_pattern": "layers", "layers_to_transform": 0, "target_modules": ["q_proj"]},
    {"layers_pattern": None, "layers_to_transform": None, "target_modules": "all-linear"},
    {"lora_bias": False, "init_lora_weights": None},
    {"task_type": None},
    *({"task_type": name} for name in FIELDS["task_type"].choices),
    {"lora_dropout": 1},
    {"lora_dropout": 0},
    *({"bias": name} for name in FIELDS["bias"].choices),
    {"bias": "boft_only"},
]


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("values", INNOCENT, ids=str)
def test_the_right_value_next_to_each_wrong_one_is_left_alone(kind: str, values: dict[str, Any]) -> None:
    assert codes(FILES[kind](RUN | values)) == []


TRAINED: list[tuple[list[str], dict[str, Any]]] = [
    (["ADA303"], {"use_dora": True}),
    (["ADA304"], {"init_lora_weights": "loftq"}),
    ([], {"beta1": 1.0}),
    (["ADA306"], {"orth_reg_weight": -1}),
    (["ADA307"], {"init_r": "12"}),
    (["ADA307"], {"lora_alpha": "8"}),
    (["ADA307"], {"tinit": "8"}),
    ([], {"target_r": "4", "deltaT": "x", "beta2": None}),
    (["ADA309"], {"target_modules": ["wte"]}),
    (["ADA310"], {"target_parameters": ["experts.w"]}),
    (["ADA310"], {"alora_invocation_tokens": [1]}),
    (["ADA311"], {"layers_pattern": "h"}),
    (["ADA312"], {"task_type": "CAUSAL"}),
    (["ADA313"], {"peft_type": "adalora"}),
    ([], {"task_type": None, "orth_reg_weight": 0.5}),
    (["ADA315"], {"lora_dropout": 2}),
    (["ADA318"], {"lora_dropout": -2}),
    (["ADA319"], {"bias": "NONE"}),
]


@pytest.mark.parametrize(("expected", "values"), TRAINED, ids=str)
def test_a_trained_adapter_is_judged_by_what_loading_looks_at(expected: list[str], values: dict[str, Any]) -> None:
    assert codes(adapter(RUN | values, saved=True), pedantic=True) == expected


RELEASES: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"use_dora": True}, "0.8.2", []),
    ({"use_dora": True}, "0.10.0", ["ADA303"]),
    ({"init_lora_weights": "loftq"}, "0.13.2", []),
    ({"init_lora_weights": "loftq"}, "0.14.0", ["ADA304"]),
    ({"loftq_config": {"loftq_bits": 4}}, "0.10.0", []),
    ({"loftq_config": {"loftq_bits": 4}}, "0.11.0", ["ADA304"]),
    ({"loftq_config": {"loftq_bits": 4}}, "0.14.0", []),
    ({"orth_reg_weight": 0}, "0.19.1", ["ADA306"]),
    ({"orth_reg_weight": 0, "task_type": None}, "0.19.1", []),
    ({"orth_reg_weight": -1, "task_type": None}, "0.19.1", []),
    ({"orth_reg_weight": -1, "task_type": None}, "0.20.0", ["ADA306"]),
    ({"orth_reg_weight": "0.5", "task_type": None}, "0.19.1", []),
    ({"orth_reg_weight": "0.5", "task_type": None}, "0.20.0", ["ADA307"]),
    ({"total_step": None}, "0.14.0", []),
    ({"total_step": "100"}, "0.14.0", ["ADA307"]),
    ({"layers_pattern": "layers"}, "0.13.2", []),
    ({"layers_pattern": "layers", "layers_to_transform": []}, "0.20.0", ["ADA311"]),
    ({"layers_pattern": "layers", "layers_to_transform": []}, "0.21.0", []),
    ({"layers_to_transform": [0], "target_modules": "x"}, "0.10.0", []),
    ({"layers_to_transform": [0], "target_modules": "x"}, "0.11.0", ["ADA311"]),
    ({"task_type": "causal_lm"}, "0.13.2", []),
    ({"task_type": "causal_lm"}, "0.14.0", ["ADA312"]),
    ({"bias": "boft_only"}, "0.17.1", ["ADA319"]),
    ({"bias": "boft_only"}, "0.20.0", ["ADA319"]),
    ({"bias": "boft_only"}, "0.21.0", []),
]


@pytest.mark.parametrize(("values", "release", "expected"), RELEASES, ids=str)
def test_a_rule_follows_the_target_release(values: dict[str, Any], release: str, expected: list[str]) -> None:
    assert codes(python(RUN | values), release) == expected


@pytest.mark.parametrize(
    ("beside", "found"),
    [
        ({}, ["ADA301"]),
        ({"method": "adalora"}, ["ADA301"]),
        ({"lora_alpha": 16}, ["ADA301"]),
        ({"enabled": True}, []),
        ({"warmup_share": 0.1}, []),
    ],
)
def test_a_block_that_the_constructor_would_refuse_has_a_reader_of_its_own(
    beside: dict[str, Any], found: list[str]
) -> None:
    text = block({"init_r": 16, "target_r": 8, "delta_t": 10, **beside})
    judged = check_source(text, Settings(select=("ADA301",)))
    assert [finding.code for finding in judged.findings] == found


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("kasa_config", None, []),
        ("ensure_weight_tying", False, []),
        ("peft_version", "0.21.2", []),
        ("use_bdlora", True, ["ADA301"]),
        ("delta_t", None, ["ADA301"]),
    ],
)
def test_what_a_newer_release_has_written_and_asks_for_nothing_is_dropped_in_silence(
    key: str, value: object, found: list[str]
) -> None:
    """PEFT 0.14 and later drop unknown keys with a warning; below, each raises TypeError."""
    text = adapter({"total_step": 100, "task_type": "CAUSAL_LM", key: value})

    def unknown(release: str) -> list[str]:
        judged = check_source(text, Settings(target_peft=release, select=("ADA301",)))
        return [finding.code for finding in judged.findings]

    assert unknown("0.17.0") == found
    assert unknown("0.13.2") == ["ADA301"]


@pytest.mark.parametrize(("release", "severity"), [("0.10.0", Severity.WARNING), ("0.11.0", Severity.ERROR)])
def test_dora_is_a_warning_where_it_is_only_ignored(release: str, severity: Severity) -> None:
    [finding] = check_source(python(RUN | {"use_dora": True}), Settings(target_peft=release)).findings
    assert finding.severity is severity


# What the rules say is what the schema says, which is held to PEFT


def unusual() -> list[tuple[str, Any]]:
    written = [(name, value) for name, values in UNUSUAL.items() for value in values if name in FIELDS]
    return [(name, value) for name, value in written if not isinstance(value, set)]


@pytest.mark.parametrize(("name", "value"), unusual(), ids=str)
def test_an_error_is_reported_only_where_peft_raises(name: str, value: Any) -> None:
    values = RUN | {name: value}
    # The constructor overwrites `peft_type`; loading a file reads it.
    found = [one for one in check_source(adapter(values), Settings()).findings if one.code in FIELD_RULES - {"ADA313"}]
    raises = isinstance(predict(values), Prediction)
    assert raises or not any(one.severity is Severity.ERROR for one in found)


ONE_FIELD = {
    "ADA303": {"use_dora": True},
    "ADA304": {"init_lora_weights": "loftq"},
    "ADA305": {"beta1": 1.5},
    "ADA306": {"orth_reg_weight": -1},
    "ADA309": {"target_modules": ["embed_tokens"]},
    "ADA312": {"task_type": "causal_lm"},
    "ADA315": {"lora_dropout": 1.5},
}
TOGETHER = [
    *ONE_FIELD.items(),
    ("ADA304", {"loftq_config": {"loftq_bits": 4}}),
    ("ADA306", {"orth_reg_weight": 0}),
    *(("ADA307", {name: "1"}) for name, field in FIELDS.items() if field.numeric and field.facts.own),
    *(("ADA307", {name: None}) for name in ("init_r", "target_r", "deltaT", "tinit", "lora_alpha", "lora_dropout")),
    ("ADA307", {"init_r": 12.0}),
    ("ADA307", {"target_r": float("nan")}),
    ("ADA307", {"tinit": float("nan")}),
    ("ADA307", {"total_step": float("inf")}),
    ("ADA310", {"target_parameters": ["x"]}),
    ("ADA310", {"target_parameters": "x"}),
    ("ADA310", {"alora_invocation_tokens": [1]}),
    ("ADA311", {"layers_pattern": "h"}),
    ("ADA311", {"layers_to_transform": [0], "target_modules": "x"}),
    ("ADA311", {"lora_bias": True, "init_lora_weights": "pissa"}),
    ("ADA319", {"bias": "some"}),
    ("ADA319", {"bias": None}),
    ("ADA319", {"bias": "boft_only"}),
]


@pytest.mark.parametrize(
    "release", ["0.5.0", "0.9.0", "0.11.1", "0.13.2", "0.14.0", "0.17.1", "0.19.1", "0.20.0", NEWEST]
)
@pytest.mark.parametrize(("code", "values"), TOGETHER, ids=str)
def test_a_page_names_the_stage_and_exception_that_the_schema_predicts(
    code: str, values: dict[str, Any], release: str
) -> None:
    if not set(values) <= fields_of(release):
        return
    [site] = read_sites(adapter(RUN | values))
    fired = [one for one in fire(site, load(), release) if one.rule.code == code]
    predicted = predict(RUN | values, release)
    if not fired:
        assert predicted is None or (code, release) == ("ADA303", "0.9.0")
        return
    outcome = fired[0].outcome()
    assert outcome is not None
    assert isinstance(predicted, Prediction) or outcome.stage == "silent"
    if isinstance(predicted, Prediction):
        assert (outcome.stage, outcome.exception) == (str(predicted.stage), predicted.exception)


@pytest.mark.parametrize("code", sorted(FIELD_RULES))
def test_the_outcomes_of_a_page_are_ranges_of_known_releases(code: str) -> None:
    for outcome in load().rules[code].outcomes:
        assert any(in_range(release, outcome.peft) for release in KNOWN)


# One mistake, one finding


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"init_lora_weights": "loftq", "loftq_config": {"loftq_bits": 4}}, ["ADA304"]),
        ({"init_lora_weights": "loftq", "use_rslora": True}, ["ADA304", "ADA302"]),
        ({"lora_bias": True, "init_lora_weights": "pissa"}, ["ADA311"]),
        ({"lora_bias": True, "init_lora_weights": "pissa", "use_rslora": True}, ["ADA311", "ADA302"]),
        ({"lora_bias": True}, ["ADA302"]),
        ({"use_dora": True, "lora_bias": True}, ["ADA303", "ADA302"]),
        ({"total_step": None}, ["ADA201"]),
        ({"total_step": None, "init_r": "12"}, ["ADA201", "ADA307"]),
        ({"target_r": float("inf")}, ["ADA307"]),
        ({"beta1": float("nan")}, ["ADA305"]),
        ({"lora_dropout": float("inf")}, ["ADA315"]),
        ({"lora_alpha": float("nan"), "deltaT": float("nan")}, ["ADA307", "ADA307"]),
    ],
    ids=str,
)
def test_one_mistake_gives_one_finding(values: dict[str, Any], expected: list[str]) -> None:
    found = check_source(adapter(RUN | values), Settings()).findings
    assert sorted(one.code for one in found) == sorted(expected)


@pytest.mark.parametrize("release", ["0.14.0", NEWEST])
def test_a_missing_total_step_is_no_wrong_type_in_any_release(release: str) -> None:
    found = check_source(python(RUN | {"total_step": None}), Settings(target_peft=release)).findings
    assert [one.code for one in found] == ["ADA201"]


# Unknown stays silent


@pytest.mark.parametrize(
    "arguments",
    [
        "use_dora=args.dora",
        "init_lora_weights=method",
        "beta1=beta",
        "init_r=int(rank), lora_alpha=alpha()",
        "target_modules=names",
        "target_modules=['embed_tokens', *more]",
        "layers_pattern=pattern",
        "layers_pattern='h', **rest",
        "target_parameters=rest",
        "alora_invocation_tokens=[1, 2], **rest",
        "task_type=kind",
        "bias=bias",
        "lora_dropout=p",
    ],
)
def test_what_cannot_be_known_is_not_judged(arguments: str) -> None:
    task = "" if "task_type" in arguments or "rest" in arguments else "task_type='CAUSAL_LM', "
    text = f"from peft import AdaLoraConfig\nAdaLoraConfig({task}total_step=9, {arguments})\n"
    assert codes(source(text, "a.py"), pedantic=True) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adalora: {init_r: 8, target_r: 4, total_step: auto}\n", []),
        ("adalora: {init_r: 8, target_r: 4, tinit: ten}\n", []),
        ("adalora: {init_r: '8', target_r: 4}\n", ["ADA307"]),
        ("_target_: peft.AdaLoraConfig\ntask_type: CAUSAL_LM\ninit_r: 8\ntarget_r: 4\ntotal_step: auto\n", ["ADA307"]),
        ("adalora: {init_r: '${rank}', target_r: 4}\n", []),
    ],
)
def test_a_word_in_a_free_block_is_for_the_users_own_code(text: str, expected: list[str]) -> None:
    assert codes(source(text, "a.yaml")) == expected


# Task types as members


@pytest.mark.parametrize(
    ("written", "release", "expected", "mended"),
    [
        ("TaskType.CAUSAL_LM", NEWEST, [], "TaskType.CAUSAL_LM"),
        ("TaskType.CAUSALLM", NEWEST, ["ADA312"], "TaskType.CAUSAL_LM"),
        ("TaskType.SEQ2SEQ_LM", "0.6.2", ["ADA312"], "TaskType.SEQ_2_SEQ_LM"),
        ("peft.TaskType.seq_cls", NEWEST, ["ADA312"], "peft.TaskType.SEQ_CLS"),
        ("TaskType.LANGUAGE", NEWEST, ["ADA312"], "TaskType.LANGUAGE"),
        ("'seq-cls'", NEWEST, ["ADA312"], "'SEQ_CLS'"),
        ("kind", NEWEST, ["ADA312"], "kind"),
    ],
)
def test_a_task_type_is_renamed_as_it_is_written(written: str, release: str, expected: list[str], mended: str) -> None:
    head = "import peft\nfrom peft import AdaLoraConfig, TaskType\nkind = 'causal'\n"
    before = source(f"{head}AdaLoraConfig(task_type={written}, total_step=9)\n", "a.py")
    settings = Settings(target_peft=release)
    assert codes(before, release) == expected
    assert (
        fix_source(before, settings, Safety.SAFE).after.text
        == f"{head}AdaLoraConfig(task_type={mended}, total_step=9)\n"
    )


# YAML's numbers


@pytest.mark.parametrize(
    ("field", "written", "mended"),
    [
        ("orth_reg_weight", "1e-4", "1.0e-4"),
        ("orth_reg_weight", "1E-4", "1.0e-4"),
        ("orth_reg_weight", "1.5e3", "1.5e+3"),
        ("orth_reg_weight", "2e3", "2.0e+3"),
        ("orth_reg_weight", ".5e2", "0.5e+2"),
        ("orth_reg_weight", ".5e-2", None),
        ("orth_reg_weight", "1.e-3", None),
        ("lora_dropout", "1e-1", "1.0e-1"),
        ("lora_alpha", "1e1", "1.0e+1"),
        ("tinit", "1e1", "10"),
        ("tinit", "1.2e1", "12"),
        ("tinit", "1e-1", "1e-1"),
        ("init_r", "1.6e1", "16"),
        ("init_r", "0o14", "12"),
        ("init_r", "0o18", None),
        ("init_r", "010", None),
        ("orth_reg_weight", "0o1", "1"),
    ],
)
def test_a_number_that_yaml_reads_as_text_is_written_as_one(field: str, written: str, mended: str | None) -> None:
    before = source(f"adalora:\n  target_r: 4\n  {field}: {written}  # why\n", "a.yaml")
    if mended is None:
        assert codes(before) == []
        return
    assert codes(before) == ["ADA308"]
    after = fix_source(before, Settings(), Safety.SAFE).after
    assert after.text == f"adalora:\n  target_r: 4\n  {field}: {mended}  # why\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adalora: {init_r: 8, target_r: 4, orth_reg_weight: '1e-4'}\n", ["ADA307"]),
        ("adalora: {init_r: 8, target_r: 4, r: 1e1}\n", []),
        ("adalora: {init_r: 8, target_r: 4, lr: 1e-4}\n", []),
        ("adalora: {init_r: 8, target_r: 4, orth_reg_weight: 1.0e-4}\n", []),
        ("seed: ${seed}\nadalora: {init_r: 8, target_r: 4, orth_reg_weight: 1e-4}\n", []),
        ("_target_: peft.AdaLoraConfig\ntask_type: CAUSAL_LM\ntotal_step: 1e4\n", []),
        ("class_path: peft.AdaLoraConfig\ninit_args: {task_type: CAUSAL_LM, total_step: 1e4}\n", []),
    ],
)
def test_only_a_plain_scalar_for_a_yaml_1_1_loader_is_text(text: str, expected: list[str]) -> None:
    assert codes(source(text, "a.yaml")) == expected


# Fixes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("init_r='16'", "init_r=16"),
        ("init_r='16.0'", "init_r='16.0'"),
        ("init_r=' 16'", "init_r=' 16'"),
        ("init_r='0x10'", "init_r='0x10'"),
        ("init_r='016'", "init_r='016'"),
        ("init_r=R", "init_r=R"),
        ("init_r='2'", "init_r='2'"),
        ("lora_dropout='0.1'", "lora_dropout=0.1"),
        ("orth_reg_weight='1'", "orth_reg_weight=1"),
        ("bias='NONE'", "bias='none'"),
        ("bias='lora-only'", "bias='lora_only'"),
        ("bias='some'", "bias='some'"),
        ("bias=None", "bias=None"),
    ],
)
def test_a_safe_fix_writes_exactly_what_was_meant(before: str, after: str) -> None:
    head = "from peft import AdaLoraConfig\nR = '16'\n"
    text = f"{head}AdaLoraConfig({before}, task_type='CAUSAL_LM', total_step=9)\n"
    assert fix_source(source(text, "a.py"), Settings(), Safety.SAFE).after.text == text.replace(before, after)


@pytest.mark.parametrize(
    ("code", "values"), [pair for pair in WRONG if pair[0] in {"ADA303", "ADA304", "ADA309", "ADA310"}], ids=str
)
def test_no_safe_fix_takes_away_what_was_asked_for(code: str, values: dict[str, Any]) -> None:
    before = python(RUN | values)
    [finding] = [one for one in check_source(before, Settings()).findings if one.code == code]
    assert all(fix.safety < Safety.SAFE and fix.effect is Effect.REPAIRS for fix in finding.fixes)
    assert fix_source(before, Settings(), Safety.SAFE).after == before


def test_a_loftq_config_object_is_refused_like_a_dict_and_goes_with_the_name() -> None:
    head = "from peft import AdaLoraConfig, LoftQConfig\n"
    text = f"{head}AdaLoraConfig(loftq_config=LoftQConfig(loftq_bits=4), task_type='CAUSAL_LM', total_step=9)\n"
    before = source(text, "a.py")
    assert codes(before, "0.13.2") == ["ADA304"]
    after = fix_source(before, Settings(target_peft="0.13.2"), Safety.UNSAFE).after
    assert after.text == f"{head}AdaLoraConfig(task_type='CAUSAL_LM', total_step=9)\n"


LISTS = [
    ("a.py", "['wte', 'q']", "['q']"),
    ("a.py", "['q', 'wte']", "['q']"),
    ("a.py", "['wpe', 'wte', 'q', 'v']", "['q', 'v']"),
    ("a.py", "['q', 'wte', 'wpe', 'v']", "['q', 'v']"),
    ("a.py", "{'q', 'wte'}", "{'q'}"),
    ("a.py", "('q', 'v', 'wte')", "('q', 'v')"),
    ("a.py", "('q', 'wte')", "('q', 'wte')"),
    ("a.py", "['wte']", "['wte']"),
    ("a.py", "[\n    'q',  # é\n    'wte',  # gone\n    'v',\n]", "[\n    'q',  # é\n    'v',\n]"),
    ("a.py", "['q',  # stays\n    'wte']", "['q',  # stays\n    'wte']"),
    ("a.py", "NAMES", "NAMES"),
    ("adapter_config.json", '["q", "wte"]', '["q"]'),
    ("adapter_config.json", '[\n  "q",\n  "wte"\n ]', '[\n  "q"\n ]'),
    ("adapter_config.json", '[\n  "wte",\n  "q"\n ]', '[\n  "q"\n ]'),
    ("a.yaml", "[q, wte, v]", "[q, v]"),
    ("a.yaml", "\n  - q\n  - wte\n  - v", "\n  - q\n  - v"),
    ("a.yaml", "\n  - q  # stays\n  - wte", "\n  - q  # stays"),
    ("a.yaml", "\n  - wte\n  - wpe\n  - q", "\n  - q"),
    ("a.yaml", "\n  - q\n  - wte  # why", "\n  - q"),
    ("a.yaml", "\n  - q\n  # both\n  - wte", "\n  - q\n  # both\n  - wte"),
    ("a.yaml", "\n  - q\n  - wte\n  # what is next\n  - v", "\n  - q\n  # what is next\n  - v"),
    ("a.yaml", "[\n    q,  # stays\n    wte,  # goes\n  ]", "[\n    q,  # stays\n  ]"),
]
AROUND = {
    "a.py": "from peft import AdaLoraConfig\nNAMES = ['q', 'wte']\nAdaLoraConfig(target_modules=%s, task_type='SEQ_CLS', total_step=9)\n",
    "adapter_config.json": '{"peft_type": "ADALORA",\n "target_modules": %s,\n "task_type": "SEQ_CLS", "total_step": 9}\n',
    "a.yaml": "adalora:\n  init_r: 12\n  target_modules: %s\n  tinit: 1\n",
}


@pytest.mark.parametrize(("path", "before", "after"), LISTS)
def test_an_embedding_leaves_its_list_and_nothing_else_does(path: str, before: str, after: str) -> None:
    text = source(AROUND[path] % before, path)
    assert codes(text) == ["ADA309"]
    assert fix_source(text, Settings(), Safety.SAFE).after == text
    assert fix_source(text, Settings(), Safety.UNSAFE).after.text == AROUND[path] % after


# Duplicates


DUPLICATES = [
    ("a.yaml", "adalora:\n  init_r: 24\n  target_r: 4\n  init_r: 12\n", [2], "adalora:\n  target_r: 4\n  init_r: 12\n"),
    ("a.yaml", "adalora: {init_r: 24, target_r: 4, init_r: 12}\n", [1], "adalora: {target_r: 4, init_r: 12}\n"),
    (
        "a.json",
        '{"adalora": {"init_r": 24, "init_r": 18,\n "init_r": 12, "target_r": 4}}',
        [1],
        '{"adalora": {"init_r": 12, "target_r": 4}}',
    ),
    ("a.yaml", "adalora:\n  note: a\n  init_r: 12\n  target_r: 4\n  note: b\n", [2], None),
    ("a.yaml", "lora:\n  r: 1\n  r: 2\nadalora:\n  init_r: 12\n  target_r: 4\n", [], None),
    ("a.yaml", "b: &b {init_r: 24}\nadalora:\n  <<: *b\n  init_r: 12\n  target_r: 4\n", [], None),
    ("a.yaml", "- adalora: {init_r: 12, target_r: 4}\n- adalora: {init_r: 12, target_r: 4}\n", [], None),
]


@pytest.mark.parametrize(("path", "text", "rows", "after"), DUPLICATES)
def test_the_earlier_of_two_entries_is_pointed_at_and_deleted(
    path: str, text: str, rows: list[int], after: str | None
) -> None:
    before = source(text, path)
    found = [one for one in check_source(before, Settings()).findings if one.code == "ADA316"]
    assert [before.row_of(one.span.start) for one in found] == rows
    fixed = fix_source(before, Settings(), Safety.SAFE).after
    if after is not None:
        assert "".join(fixed.text.split()) == "".join(after.split())
    assert not [one for one in check_source(fixed, Settings()).findings if one.code == "ADA316"]


def test_an_earlier_entry_that_feeds_an_alias_stays() -> None:
    text = "adalora:\n  init_r: &rank 24\n  target_r: 4\n  init_r: 12\nother: *rank\n"
    before = source(text, "a.yaml")
    assert codes(before) == ["ADA316"]
    assert fix_source(before, Settings(), Safety.UNSAFE).after == before


def test_a_duplicate_in_a_trained_adapter_is_found() -> None:
    text = '{"peft_type": "ADALORA", "inference_mode": true, "total_step": 9, "init_r": 8, "init_r": 12}'
    assert codes(source(text, "adapter_config.json")) == ["ADA316"]


# The case of peft_type


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("adapter_config.json", '{"peft_type": "AdaLoRA", "task_type": "SEQ_CLS", "total_step": 9}', ["ADA313"]),
        ("adapter_config.json", '{"peft_type": "ADALORA", "task_type": "SEQ_CLS", "total_step": 9}', []),
        ("adapter_config.json", '{"peft_type": "lora", "adalora": "no"}', []),
        ("config.json", '{"peft_type": "adalora", "init_r": 12, "target_r": 4}', []),
        ("a.yaml", "peft_type: adalora\ninit_r: 12\ntarget_r: 4\n", []),
        ("a.py", "from peft import AdaLoraConfig\nAdaLoraConfig(peft_type='adalora', total_step=9)\n", []),
    ],
)
def test_the_case_of_peft_type_counts_where_peft_itself_reads_it(path: str, text: str, expected: list[str]) -> None:
    assert codes(source(text, path)) == expected


# The task type that is not there

MODEL = "from peft import AdaLoraConfig, get_peft_model\n"


@pytest.mark.parametrize(
    "text",
    [
        "get_peft_model(model, AdaLoraConfig(%s total_step=9))",
        "get_peft_model(model, peft_config=AdaLoraConfig(%s total_step=9))",
        "c = AdaLoraConfig(%s total_step=9)\nm = get_peft_model(model, c)",
        "c = AdaLoraConfig(%s total_step=9)\ndef f(model):\n    return get_peft_model(model, c)",
        "import peft\npeft.get_peft_model(model, peft.AdaLoraConfig(%s total_step=9))",
        "c = AdaLoraConfig(%s task_type=None, total_step=9)\nget_peft_model(model, c)",
        "if ada:\n    c = AdaLoraConfig(%s total_step=9)\nelse:\n    c = other\nget_peft_model(model, c)",
    ],
)
def test_a_written_penalty_without_a_task_type_is_a_warning_and_a_default_one_an_info(text: str) -> None:
    written = source(MODEL + text % "orth_reg_weight=0.1," + "\n", "a.py")
    default = source(MODEL + text % "" + "\n", "a.py")
    settings = Settings(pedantic=True)
    assert [(one.code, one.severity) for one in check_source(written, settings).findings] == [
        ("ADA314", Severity.WARNING)
    ]
    assert [(one.code, one.severity) for one in check_source(default, settings).findings] == [("ADA314", Severity.INFO)]
    assert codes(written) == ["ADA314"]
    assert codes(default) == []


@pytest.mark.parametrize(
    "text",
    [
        "c = AdaLoraConfig(orth_reg_weight=0.1, total_step=9)",
        "c = AdaLoraConfig(orth_reg_weight=0.1, task_type='SEQ_CLS', total_step=9)\nget_peft_model(model, c)",
        "c = AdaLoraConfig(orth_reg_weight=0, total_step=9)\nget_peft_model(model, c)",
        "c = AdaLoraConfig(orth_reg_weight=0.1, total_step=9, **rest)\nget_peft_model(model, c)",
        "c = AdaLoraConfig(orth_reg_weight=w, total_step=9)\nget_peft_model(model, c)",
        "c = AdaLoraConfig(orth_reg_weight=0.1, task_type=kind, total_step=9)\nget_peft_model(model, c)",
        "c = AdaLoraConfig(orth_reg_weight=0.1, total_step=9)\nc.task_type = 'SEQ_CLS'\nget_peft_model(model, c)",
        "c = AdaLoraConfig(orth_reg_weight=0.1, total_step=9)\nm = get_peft_model(model, c)\nm.base_model(**batch)",
        "c = AdaLoraConfig(orth_reg_weight=0.1, total_step=9)\nget_peft_model(model, d)",
        "c = AdaLoraConfig(orth_reg_weight=0.1, total_step=9)\nmine.get_peft_model(model, c)",
    ],
)
def test_a_penalty_that_is_added_or_not_wanted_or_unknown_is_no_mistake(text: str) -> None:
    assert codes(source(f"{MODEL}{text}\n", "a.py"), pedantic=True) == []


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("adapter_config.json", '{"peft_type": "ADALORA", "orth_reg_weight": 0.5, "total_step": 9}', ["ADA314"]),
        ("adapter_config.json", '{"peft_type": "ADALORA", "total_step": 9}', []),
        ("a.yaml", "_target_: peft.AdaLoraConfig\north_reg_weight: 0.5\ntotal_step: 9\n", ["ADA314"]),
        ("a.json", '{"peft_type": "ADALORA", "task_type": null, "orth_reg_weight": 0.5}', ["ADA314"]),
        ("a.json", '{"peft_type": "ADALORA", "orth_reg_weight": 0.5}', []),
        ("a.yaml", "adalora: {init_r: 12, orth_reg_weight: 0.5}\n", []),
    ],
)
def test_a_mapping_without_a_task_type_counts_when_nothing_can_add_one(
    path: str, text: str, expected: list[str]
) -> None:
    assert codes(source(text, path)) == expected


# Who reads a YAML file

GROUP = "adalora:\n  init_r: 12\n  target_r: 8\n  orth_reg_weight: 5e-1\n"
OMEGACONF = "from omegaconf import OmegaConf\n\ncfg = OmegaConf.load('exp.yaml')\n"
HYDRA = (
    "import hydra\n\n\n@hydra.main(config_path='conf', config_name='config', version_base=None)\ndef main(cfg): ...\n"
)
PYYAML = "import yaml\n\ncfg = yaml.safe_load(open('exp.yaml'))  # no omegaconf, no hydra\n"


def codes_on_disk(folder: Path, files: dict[str, str], name: str) -> list[str]:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return codes(source((folder / name).read_text(), str(folder / name)))


def test_omegaconf_reads_what_pyyaml_does_not() -> None:
    assert yaml.safe_load(GROUP)["adalora"]["orth_reg_weight"] == "5e-1"
    assert OmegaConf.create(GROUP).adalora.orth_reg_weight == 0.5
    assert OmegaConf.create("# @package _global_\n" + GROUP).adalora.orth_reg_weight == 0.5


@pytest.mark.parametrize(
    "head", ["# @package _global_\n", "#@package method\n", "defaults:\n- _self_\n", "defaults:  # all\n\n  - a\n"]
)
def test_a_file_of_hydra_has_no_number_that_is_text(head: str) -> None:
    assert codes(source(head + GROUP, "a.yaml")) == []


@pytest.mark.parametrize("head", ["# the @package of it\n", "defaults:\n  lr: 1\n", "defaults: base\n"])
def test_a_file_that_only_looks_like_hydras_has_one(head: str) -> None:
    assert codes(source(head + GROUP, "a.yaml")) == ["ADA308"]


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"exp.yaml": GROUP, "run.py": OMEGACONF}, "exp.yaml"),
        ({"conf/exp.yaml": GROUP, "run.py": OMEGACONF}, "conf/exp.yaml"),
        ({"conf/a/b.yaml": GROUP, "conf/config.yaml": "defaults:\n  - a: b\n"}, "conf/a/b.yaml"),
        ({"conf/method/adalora.yaml": GROUP, "train.py": HYDRA}, "conf/method/adalora.yaml"),
        ({"pyproject.toml": "", "conf/exp.yaml": GROUP, "src/app/run.py": HYDRA}, "conf/exp.yaml"),
        ({"exp.yaml": GROUP, "run.py": PYYAML, "other.py": OMEGACONF}, "exp.yaml"),
    ],
)
def test_a_number_that_omegaconf_may_read_is_none_that_is_text(
    tmp_path: Path, files: dict[str, str], name: str
) -> None:
    assert codes_on_disk(tmp_path / "a/b/c/project", files, name) == []


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"exp.yaml": GROUP}, "exp.yaml"),
        ({"exp.yaml": GROUP, "run.py": PYYAML}, "exp.yaml"),
        ({"exp.yaml": GROUP, "other.yaml": "defaults:\n  lr: 1\n"}, "exp.yaml"),
        ({"pyproject.toml": "", "conf/exp.yaml": GROUP, "../run.py": HYDRA}, "conf/exp.yaml"),
        ({"pyproject.toml": "", "exp.yaml": GROUP, "venv/lib/run.py": HYDRA}, "exp.yaml"),
        ({"exp.yaml": GROUP.replace("5e-1", "0o1"), "run.py": OMEGACONF}, "exp.yaml"),
    ],
)
def test_a_number_that_pyyaml_reads_is_text_whoever_else_is_far(
    tmp_path: Path, files: dict[str, str], name: str
) -> None:
    assert codes_on_disk(tmp_path / "a/b/c/project", files, name) == ["ADA308"]
