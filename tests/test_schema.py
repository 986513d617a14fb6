from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peft import AdaLoraConfig, LoraConfig
from peft.utils import TaskType
from pydantic import ValidationError

from adalint.plan import Loop
from adalint.releases import KNOWN, in_range
from adalint.schema import (
    ALIASES,
    FIELDS,
    AdaLoraSettings,
    FieldFacts,
    IgnoredRankWarning,
    Prediction,
    Stage,
    Use,
    closest_field,
    defaults,
    derived,
    effective,
    failures,
    fields_of,
    is_ignored,
    predict,
    use_of,
)
from adalint.schema.common_fields import TASK_TYPES
from adalint.schema.distance import edit_distance
from adalint.values import UNKNOWN, Expr, Literal, Symbol

if TYPE_CHECKING:
    from collections.abc import Mapping

REAL = {field.name: field for field in dataclasses.fields(AdaLoraConfig)}
RUN = {"total_step": 10, "target_modules": ["q_proj"]}


def real_default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
        return vars(made) if dataclasses.is_dataclass(made) else made
    return field.default


# The model against PEFT's own class


def test_the_model_has_exactly_the_fields_of_peft() -> None:
    assert set(FIELDS) == set(REAL)


@pytest.mark.parametrize("name", REAL)
def test_a_default_is_that_of_peft(name: str) -> None:
    assert FIELDS[name].default == real_default(REAL[name])
    assert type(FIELDS[name].default) is type(real_default(REAL[name]))


def test_every_field_can_be_passed_to_the_constructor() -> None:
    assert [name for name, field in REAL.items() if not field.init] == []


def test_own_fields_are_those_that_lora_lacks_or_means_otherwise() -> None:
    declared = set(AdaLoraConfig.__annotations__)
    assert {name for name, field in FIELDS.items() if field.facts.own} == declared
    assert declared - {field.name for field in dataclasses.fields(LoraConfig)} == declared - {"rank_pattern"}


def test_task_types_are_those_of_peft() -> None:
    assert {member.value for member in TaskType} == set(TASK_TYPES)


@pytest.mark.parametrize("field", FIELDS.values(), ids=list(FIELDS))
def test_every_field_is_documented_in_both_languages(field: FieldFacts) -> None:
    assert 1 <= len(field.facts.doc.splitlines()) <= 2
    assert all(line.endswith(".") for line in field.facts.doc.splitlines())
    assert any("\u4e00" <= letter <= "\u9fff" for letter in field.facts.doc_zh)


# Counted in the sources of the wheels on PyPI, without running them.
@pytest.mark.parametrize(
    ("release", "count"),
    [
        *(("0.3.0", 22), ("0.4.0", 26), ("0.5.0", 26), ("0.6.2", 27), ("0.7.1", 30), ("0.8.2", 31), ("0.9.0", 32)),
        *(("0.10.0", 33), ("0.11.1", 33), ("0.12.0", 34), ("0.13.2", 34), ("0.14.0", 37), ("0.15.2", 39)),
        *(("0.16.0", 41), ("0.17.1", 42), ("0.18.1", 46), ("0.19.1", 48), ("0.20.0", 50), ("0.21.2", 51)),
    ],
)
def test_a_release_has_as_many_fields_as_its_sources(release: str, count: int) -> None:
    assert len(fields_of(release)) == count


@pytest.mark.parametrize("name", FIELDS)
def test_every_release_since_the_first_says_what_it_does_with_a_field(name: str) -> None:
    since = FIELDS[name].facts.since
    assert since in KNOWN
    for release in KNOWN:
        assert (use_of(name, release) is not None) == in_range(release, f">={since}")
        matching = [peft for peft, _ in FIELDS[name].facts.uses if in_range(release, peft)]
        assert len(matching) == 1 or not in_range(release, f">={since}")


# Bounds and failures say the same


def _late(field: str, value: float) -> Prediction | None:
    ranks = {"init_r": 4, "target_r": 2}
    prediction = predict({**RUN, **ranks, field: value}, loop=Loop(steps=12))
    assert prediction is not UNKNOWN
    return prediction if isinstance(prediction, Prediction) else None


BOUNDED = {name: field for name, field in FIELDS.items() if field.facts.bounds and name != "lora_alpha"}


@pytest.mark.parametrize("name", BOUNDED)
def test_a_value_outside_the_bounds_raises_or_is_silently_something_else(name: str) -> None:
    bounds = BOUNDED[name].facts.bounds
    assert bounds is not None
    outside = [edge for edge in (bounds.gt, bounds.lt) if edge is not None]
    outside += [edge + step for edge, step in ((bounds.ge, -1), (bounds.le, 1)) if edge is not None]
    silent = {"tinit", "tfinal", "lora_dropout", "deltaT"}
    for value in outside:
        assert not bounds.contain(value)
        if name in silent and value != 0 and value < 1:
            assert _late(name, value) is None
        else:
            assert _late(name, value) is not None or (name == "deltaT" and value == 0 and _late(name, 0) is not None)


@pytest.mark.parametrize("name", BOUNDED)
def test_a_value_on_the_bounds_trains(name: str) -> None:
    bounds = BOUNDED[name].facts.bounds
    assert bounds is not None
    for edge in (bounds.ge, bounds.le):
        if edge is not None and name != "init_r":
            assert bounds.contain(edge)
            assert _late(name, edge) is None


# Aliases and close matches


@pytest.mark.parametrize("alias", ALIASES)
def test_no_alias_is_a_field(alias: str) -> None:
    assert alias not in FIELDS
    assert ALIASES[alias] is None or ALIASES[alias] in FIELDS


@pytest.mark.parametrize(
    ("alias", "field"),
    [
        *((name, "deltaT") for name in ("delta_t", "deltat", "delta_T", "mask_interval", "update_interval", "delta_r")),
        *((name, "tinit") for name in ("t_init", "init_warmup", "warmup_init")),
        *((name, "tfinal") for name in ("t_final", "final_warmup")),
        *((name, "total_step") for name in ("total_steps", "max_steps", "total_train_steps")),
        *((name, "orth_reg_weight") for name in ("orth_reg", "orth_reg_coef", "reg_orth_coef")),
        *(("target_rank", "target_r"), ("init_rank", "init_r"), ("initial_r", "init_r")),
        *(("alpha", "lora_alpha"), ("dropout", "lora_dropout")),
        *(("rank", None), ("lora_r", None), ("lora_rank", None)),
    ],
)
def test_a_known_alias_means_its_field(alias: str, field: str | None) -> None:
    assert alias in ALIASES
    assert closest_field(alias) == field


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("targt_r", "target_r"),
        ("taregt_r", "target_r"),
        ("tinitt", "tinit"),
        ("tint", "tinit"),
        ("DeltaT", "deltaT"),
        ("beta_1", "beta1"),
        ("lora_alhpa", "lora_alpha"),
        ("target_module", "target_modules"),
        ("orth_reg_wieght", "orth_reg_weight"),
    ],
)
def test_a_misspelling_means_the_nearest_field(name: str, field: str) -> None:
    assert closest_field(name) == field


@pytest.mark.parametrize(
    "name",
    [
        "r",
        "k",
        "lr",
        "t",
        "beta",
        "beta3",
        "init",
        "target",
        "bits",
        "use_lora",
        "lora_config",
        "learning_rate",
        "seed",
    ],
)
def test_a_name_that_could_be_anything_means_nothing(name: str) -> None:
    assert closest_field(name) is None


def test_a_suggestion_is_never_a_field_that_is_given() -> None:
    assert closest_field("delta_t", given={"deltaT"}) is None
    assert closest_field("targt_r", given={"target_r"}) is None


def test_a_suggestion_is_a_field_of_the_release() -> None:
    assert closest_field("exclude_module", "0.14.0") == "exclude_modules"
    assert closest_field("exclude_module", "0.13.2") is None


def test_a_suggestion_is_never_something_that_adalora_ignores_or_refuses() -> None:
    assert closest_field("use_rslorra") is None
    assert closest_field("use_doraa") is None


def distance_by_definition(left: str, right: str) -> int:
    if not left or not right:
        return len(left) + len(right)
    best = min(
        distance_by_definition(left[:-1], right) + 1,
        distance_by_definition(left, right[:-1]) + 1,
        distance_by_definition(left[:-1], right[:-1]) + (left[-1] != right[-1]),
    )
    if len(left) > 1 and len(right) > 1 and left[-1] == right[-2] and left[-2] == right[-1]:
        best = min(best, distance_by_definition(left[:-2], right[:-2]) + 1)
    return best


@given(st.text("abc", max_size=5), st.text("abc", max_size=5), st.integers(0, 3))
def test_the_distance_is_that_of_its_definition_up_to_the_limit(left: str, right: str, limit: int) -> None:
    assert edit_distance(left, right, limit) == min(distance_by_definition(left, right), limit + 1)


# What is ignored


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("use_rslora", True), ("alpha_pattern", {"q": 4}), ("lora_bias", True), ("use_qalora", True)),
        *((name, {"a": 1}) for name in ("megatron_config", "eva_config", "corda_config", "lora_ga_config")),
        *((name, {"a": 1}) for name in ("velora_config", "monteclora_config", "kasa_config", "arrow_config")),
        *(("use_bdlora", {"nblocks": 2}), ("runtime_config", {"ephemeral_gpu_offload": True})),
        *(("loftq_config", {"loftq_bits": 4}), ("init_lora_weights", "pissa"), ("init_lora_weights", "true")),
    ],
)
def test_an_option_of_lora_is_ignored(field: str, value: object) -> None:
    assert is_ignored(field, Literal(value)) is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("use_rslora", False), ("use_rslora", None), ("alpha_pattern", {}), ("alpha_pattern", None)),
        *(("eva_config", None), ("megatron_config", {}), ("runtime_config", {"ephemeral_gpu_offload": False})),
        *(("init_lora_weights", True), ("init_lora_weights", False), ("init_lora_weights", "loftq")),
        *(("bias", "all"), ("layers_to_transform", [0]), ("layer_replication", [[0, 2]]), ("fan_in_fan_out", True)),
        *(("r", 16), ("use_dora", True), ("qalora_group_size", 8), ("megatron_core", "x"), ("no_field", 1)),
    ],
)
def test_an_option_at_its_default_or_honoured_or_with_a_rule_of_its_own_is_not_reported(
    field: str, value: object
) -> None:
    assert is_ignored(field, Literal(value)) is False


def test_an_unknown_value_is_neither_ignored_nor_not() -> None:
    assert is_ignored("use_rslora", UNKNOWN) is UNKNOWN
    assert is_ignored("use_rslora", Symbol("args.rslora")) is UNKNOWN
    assert is_ignored("init_lora_weights", Symbol("args.init")) is UNKNOWN


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("eva_config", "EvaConfig(rho=2.0)", True),
        ("eva_config", "peft.EvaConfig()", True),
        ("runtime_config", "LoraRuntimeConfig(ephemeral_gpu_offload=True)", True),
        ("runtime_config", "LoraRuntimeConfig()", False),
        ("eva_config", "make_config()", UNKNOWN),
    ],
)
def test_a_call_of_the_class_of_a_sub_configuration_is_a_value(field: str, text: str, expected: object) -> None:
    assert is_ignored(field, Symbol(text)) is expected


@pytest.mark.parametrize(
    ("release", "others", "expected"),
    [
        ("0.21.2", {}, True),
        ("0.14.0", {"init_lora_weights": Literal("gaussian")}, True),
        ("0.14.0", {"init_lora_weights": Literal("loftq")}, False),
        ("0.14.0", {"init_lora_weights": UNKNOWN}, UNKNOWN),
        ("0.13.2", {}, False),
        ("0.6.0", {}, False),
    ],
)
def test_a_loftq_config_is_ignored_from_0_14_on_without_its_method(
    release: str, others: Mapping[str, Expr], expected: object
) -> None:
    assert is_ignored("loftq_config", Literal({"loftq_bits": 4}), release, others) is expected


def test_a_field_that_the_release_lacks_is_not_ignored_but_unknown() -> None:
    assert is_ignored("lora_bias", Literal(value=True), "0.13.2") is False


# Effective and derived values


def test_what_is_not_written_has_the_default_of_peft() -> None:
    values = effective({"init_r": Literal(16)})
    assert values["init_r"] == Literal(16)
    assert {name: expr for name, expr in values.items() if name != "init_r"} == {
        name: Literal(value) for name, value in defaults().items() if name != "init_r"
    }


def test_what_may_or_may_not_be_written_is_unknown_unless_it_is_the_default() -> None:
    values = effective({"init_r": Literal(16), "target_r": Literal(8)}, {"init_r": UNKNOWN, "target_r": UNKNOWN})
    assert values["init_r"] is UNKNOWN
    assert values["target_r"] == Literal(8)


def test_effective_values_are_those_of_the_release() -> None:
    assert set(effective({"delta_t": Literal(3)}, release="0.3.0")) == fields_of("0.3.0")


def test_the_scale_is_that_of_the_wrapped_model() -> None:
    assert derived(effective({}))["scale"] == Literal(8 / 12)
    assert derived(effective({"lora_alpha": Literal(32), "init_r": Literal(16)}))["scale"] == Literal(2.0)


@pytest.mark.parametrize("alpha", [0, -8])
def test_the_scale_is_one_when_alpha_is_not_positive(alpha: int) -> None:
    assert derived(effective({"lora_alpha": Literal(alpha)}))["scale"] == Literal(1.0)


def test_the_window_ends_where_the_final_phase_begins() -> None:
    values = effective({"total_step": Literal(100), "tinit": Literal(20), "tfinal": Literal(30)})
    assert derived(values)["window_end"] == Literal(70)
    assert derived(values)["window"] == Literal(50)
    assert derived(effective({}))["window_end"] is UNKNOWN


# The reference configuration


def test_r_is_accepted_and_warned_about_where_it_is_written() -> None:
    with pytest.warns(IgnoredRankWarning, match="init_r") as caught:
        settings = AdaLoraSettings(r=16)
    assert settings.init_r == 12
    assert caught[0].filename == __file__


def test_a_configuration_without_r_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AdaLoraSettings(init_r=16, total_step=100)


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"init_r": 8}, "target_r", "below init_r"),
        ({"target_r": 16}, "target_r", "below init_r"),
        ({"init_r": 0}, "init_r", "at least 2"),
        ({"init_r": -1}, "init_r", "negative"),
        ({"target_r": -1}, "target_r", "at least 1"),
        ({"deltaT": 0}, "deltaT", "ZeroDivisionError"),
        ({"beta1": 1.0}, "beta1", "between 0 and 1"),
        ({"beta2": 0}, "beta2", "between 0 and 1"),
        ({"orth_reg_weight": -0.5}, "orth_reg_weight", "negative"),
        ({"lora_dropout": 1.5}, "lora_dropout", "between 0 and 1"),
        ({"total_step": 0}, "total_step", "optimizer steps"),
        ({"total_step": 10, "tinit": 5, "tfinal": 5}, "tfinal", "raise total_step"),
        ({"total_step": 4, "tinit": -5, "tfinal": 4}, "tfinal", "below total_step"),
        ({"use_dora": True}, "use_dora", "delete"),
        ({"init_lora_weights": "loftq", "loftq_config": {"a": 1}}, "init_lora_weights", "LoftQ"),
        ({"target_modules": ["embed_tokens"]}, "target_modules", "embedding"),
        ({"target_modules": "("}, "target_modules", "expression"),
    ],
)
def test_what_peft_would_reject_is_rejected_with_the_remedy(values: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said) as caught:
        AdaLoraSettings(**values)
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]


@pytest.mark.parametrize(
    "values",
    [
        {"init_r": 16},
        {"init_r": 2, "target_r": 1},
        {"target_r": 0},
        {"total_step": 10, "tinit": 4, "tfinal": 5},
        {"orth_reg_weight": 0},
        {"lora_dropout": 1},
        {"deltaT": -1},
        {"layers_pattern": "h", "layers_to_transform": [0]},
        {"rank_pattern": {"q_proj.lora_E": [True, False]}},
    ],
)
def test_what_peft_trains_is_accepted(values: dict[str, Any]) -> None:
    assert AdaLoraSettings(**values).model_fields_set == set(values)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("init_r", "16"),
        ("init_r", 16.0),
        ("beta1", "0.85"),
        ("total_step", "100"),
        ("use_rslora", "no"),
        ("tinit", True),
    ]
    + [("orth_reg_weight", float("nan")), ("lora_alpha", "8"), ("bias", "some"), ("task_type", "causal_lm")],
)
def test_a_value_of_the_wrong_type_is_rejected(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        AdaLoraSettings.model_validate({field: value})
    assert {error["loc"][0] for error in caught.value.errors()} == {field}


@pytest.mark.parametrize(("name", "said"), [("delta_t", "did you mean deltaT"), ("nonsense", "no field nonsense$")])
def test_an_unknown_field_is_rejected_with_what_it_may_mean(name: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AdaLoraSettings.model_validate({name: 1})
    (error,) = caught.value.errors()
    assert error["loc"] == (name,)
    assert said.rstrip("$") in error["msg"]
    assert said.endswith("$") is error["msg"].endswith(f"no field {name}")


# Predictions for other releases and for what is not known


@pytest.mark.parametrize(
    ("values", "release", "stage", "exception"),
    [
        ({}, "0.15.0", Stage.CONSTRUCTION, "ValueError"),
        ({}, "0.14.0", Stage.STEP, "TypeError"),
        ({**RUN, "tinit": 10}, "0.15.0", Stage.CONSTRUCTION, "ValueError"),
        ({**RUN, "use_dora": True}, "0.11.0", Stage.CONSTRUCTION, "ValueError"),
        ({**RUN, "use_dora": True}, "0.8.2", Stage.CONSTRUCTION, "TypeError"),
        ({**RUN, "loftq_config": {"a": 1}}, "0.13.2", Stage.CONSTRUCTION, "ValueError"),
        ({**RUN, "task_type": "causal_lm"}, "0.14.0", Stage.CONSTRUCTION, "ValueError"),
        ({**RUN, "task_type": "CAUSAL_LM", "orth_reg_weight": 0}, "0.19.1", Stage.FORWARD, "ValueError"),
        ({**RUN, "task_type": "CAUSAL_LM", "orth_reg_weight": 0}, "0.3.0", Stage.FORWARD, "AssertionError"),
        ({**RUN, "orth_reg_weight": -1}, "0.20.0", Stage.CONSTRUCTION, "ValueError"),
        ({**RUN, "init_r": 0}, "0.8.0", Stage.WRAP, "ValueError"),
        ({**RUN, "init_r": 0}, "0.10.0", Stage.FIRST_MASK, "IndexError"),
        ({**RUN, "use_bdlora": True}, "0.21.0", Stage.CONSTRUCTION, "TypeError"),
    ],
)
def test_a_release_raises_at_its_own_stage(values: dict[str, Any], release: str, stage: Stage, exception: str) -> None:
    prediction = predict(values, release)
    assert isinstance(prediction, Prediction)
    assert (prediction.stage, prediction.exception) == (stage, exception)


@pytest.mark.parametrize(
    ("values", "release"),
    [
        ({**RUN, "use_dora": True}, "0.10.0"),
        ({**RUN, "loftq_config": {"a": 1}}, "0.14.0"),
        ({**RUN, "loftq_config": {"a": 1}}, "0.10.0"),
        ({**RUN, "task_type": "causal_lm"}, "0.13.2"),
        ({**RUN, "task_type": "CAUSAL_LM", "orth_reg_weight": 0}, "0.20.0"),
        ({**RUN, "orth_reg_weight": 0}, "0.19.1"),
        ({**RUN, "use_bdlora": True}, "0.20.0"),
    ],
)
def test_a_release_that_does_not_raise_is_not_said_to(values: dict[str, Any], release: str) -> None:
    assert predict(values, release) is None


def test_a_check_that_comes_before_a_certain_failure_must_be_decided() -> None:
    assert predict({**RUN, "init_r": 4, "beta1": UNKNOWN}) is UNKNOWN
    assert predict({**RUN, "init_r": UNKNOWN, "total_step": 0}) == predict({**RUN, "total_step": 0})


def test_the_step_of_a_late_failure_is_named() -> None:
    prediction = predict({**RUN, "total_step": 100, "tinit": 20, "deltaT": 0})
    assert isinstance(prediction, Prediction)
    assert prediction.step == 21


@pytest.mark.parametrize("release", KNOWN)
def test_failures_come_in_the_order_in_which_they_show(release: str) -> None:
    stages = [list(Stage).index(failure.stage) for _, failure in failures(release)]
    assert stages == sorted(stages)


def test_only_what_does_nothing_at_all_is_called_ignored() -> None:
    trained = {"init_r", "target_r", "lora_alpha", "lora_dropout", "target_modules", "bias", "task_type"}
    assert {use_of(name) for name in trained} == {Use.HONOURED}
