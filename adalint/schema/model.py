"""The model of PEFT 0.21.2's `AdaLoraConfig`: every field, its own and the inherited, with type and default.

What else is known of a field stands in the module that its line names. Facts come from running PEFT and from reading
all its releases from 0.3.0 on; `order` numbers follow the checks in `PeftConfigMixin`, `LoraConfig` and
`AdaLoraConfig.__post_init__` (construction), and in `BaseTuner.inject_adapter`, `AdaLoraLayer.update_layer` and
`RankAllocator.__init__` (wrap).
"""

from __future__ import annotations

import warnings
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from adalint.schema import common_fields, layer_fields, rank_fields, schedule_fields, target_fields, variant_fields
from adalint.schema.facts import Stage

TaskType: TypeAlias = Literal["SEQ_CLS", "SEQ_2_SEQ_LM", "CAUSAL_LM", "TOKEN_CLS", "QUESTION_ANS", "FEATURE_EXTRACTION"]


class IgnoredRankWarning(UserWarning):
    """`r` was written in an AdaLoRA configuration, where it does nothing."""


class AdaLoraSettings(BaseModel):
    """Validate a configuration of AdaLoRA as PEFT's own class should.

    What PEFT would reject only when wrapping, at the first mask or at a later step is rejected here, with the reason
    and what to write instead. `r` is accepted for compatibility, with an `IgnoredRankWarning`. `total_step` may be
    left out while the length of the run is not known; the schedule is checked as soon as it is. Types are strict: "16"
    is no rank. Raises `pydantic.ValidationError`.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    # AdaLoRA's own fields

    init_r: Annotated[int, rank_fields.INIT_R] = 12
    target_r: Annotated[int, rank_fields.TARGET_R] = 8
    tinit: Annotated[int, schedule_fields.TINIT] = 0
    tfinal: Annotated[int, schedule_fields.TFINAL] = 0
    deltaT: Annotated[int, schedule_fields.DELTAT] = 1
    beta1: Annotated[float, schedule_fields.BETA1] = 0.85
    beta2: Annotated[float, schedule_fields.BETA2] = 0.85
    orth_reg_weight: Annotated[float, schedule_fields.ORTH_REG_WEIGHT] = 0.5
    total_step: Annotated[int | None, schedule_fields.TOTAL_STEP] = None
    rank_pattern: Annotated[dict[str, Any] | None, rank_fields.RANK_PATTERN] = None

    # LoRA's fields

    r: Annotated[int, rank_fields.R] = 8
    lora_alpha: Annotated[int | float, rank_fields.LORA_ALPHA] = 8
    lora_dropout: Annotated[float, layer_fields.LORA_DROPOUT] = 0.0
    target_modules: Annotated[list[str] | set[str] | str | None, target_fields.TARGET_MODULES] = None
    exclude_modules: Annotated[list[str] | set[str] | str | None, target_fields.EXCLUDE_MODULES] = None
    fan_in_fan_out: Annotated[bool, layer_fields.FAN_IN_FAN_OUT] = False
    bias: Annotated[Literal["none", "all", "lora_only"], layer_fields.BIAS] = "none"
    use_rslora: Annotated[bool, rank_fields.USE_RSLORA] = False
    modules_to_save: Annotated[list[str] | None, target_fields.MODULES_TO_SAVE] = None
    init_lora_weights: Annotated[bool | str, layer_fields.INIT_LORA_WEIGHTS] = True
    layers_to_transform: Annotated[list[int] | int | None, target_fields.LAYERS_TO_TRANSFORM] = None
    layers_pattern: Annotated[list[str] | str | None, target_fields.LAYERS_PATTERN] = None
    alpha_pattern: Annotated[dict[str, int | float] | None, rank_fields.ALPHA_PATTERN] = Field(default_factory=dict)
    megatron_config: Annotated[dict[str, Any] | None, variant_fields.MEGATRON_CONFIG] = None
    megatron_core: Annotated[str | None, variant_fields.MEGATRON_CORE] = "megatron.core"
    trainable_token_indices: Annotated[
        list[int] | dict[str, list[int]] | None, target_fields.TRAINABLE_TOKEN_INDICES
    ] = None
    loftq_config: Annotated[dict[str, Any], variant_fields.LOFTQ_CONFIG] = Field(default_factory=dict)
    eva_config: Annotated[dict[str, Any] | None, variant_fields.EVA_CONFIG] = None
    corda_config: Annotated[dict[str, Any] | None, variant_fields.CORDA_CONFIG] = None
    lora_ga_config: Annotated[dict[str, Any] | None, variant_fields.LORA_GA_CONFIG] = None
    use_dora: Annotated[bool, variant_fields.USE_DORA] = False
    velora_config: Annotated[dict[str, Any] | None, variant_fields.VELORA_CONFIG] = None
    alora_invocation_tokens: Annotated[list[int] | None, variant_fields.ALORA_INVOCATION_TOKENS] = None
    use_qalora: Annotated[bool, variant_fields.USE_QALORA] = False
    qalora_group_size: Annotated[int, variant_fields.QALORA_GROUP_SIZE] = 16
    monteclora_config: Annotated[dict[str, Any] | None, variant_fields.MONTECLORA_CONFIG] = None
    layer_replication: Annotated[list[list[int] | tuple[int, int]] | None, target_fields.LAYER_REPLICATION] = None
    runtime_config: Annotated[dict[str, Any] | None, variant_fields.RUNTIME_CONFIG] = Field(
        default_factory=lambda: {"ephemeral_gpu_offload": False}
    )
    lora_bias: Annotated[bool, layer_fields.LORA_BIAS] = False
    target_parameters: Annotated[list[str] | None, target_fields.TARGET_PARAMETERS] = None
    use_bdlora: Annotated[dict[str, Any] | None, variant_fields.USE_BDLORA] = None
    arrow_config: Annotated[dict[str, Any] | None, variant_fields.ARROW_CONFIG] = None
    kasa_config: Annotated[dict[str, Any] | None, variant_fields.KASA_CONFIG] = None
    ensure_weight_tying: Annotated[bool, target_fields.ENSURE_WEIGHT_TYING] = False

    # What every PEFT configuration has

    task_type: Annotated[TaskType | None, common_fields.TASK_TYPE] = None
    peft_type: Annotated[str | None, common_fields.PEFT_TYPE] = None
    auto_mapping: Annotated[dict[str, Any] | None, common_fields.AUTO_MAPPING] = None
    peft_version: Annotated[str | None, common_fields.PEFT_VERSION] = None
    base_model_name_or_path: Annotated[str | None, common_fields.BASE_MODEL_NAME_OR_PATH] = None
    revision: Annotated[str | None, common_fields.REVISION] = None
    inference_mode: Annotated[bool, common_fields.INFERENCE_MODE] = False

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_what_peft_would(cls, data: Any, handler: ModelWrapValidatorHandler[AdaLoraSettings]) -> AdaLoraSettings:
        if isinstance(data, dict):
            _refuse_unknown(cls.__name__, data)
        settings = handler(data)
        _refuse_late_failures(cls.__name__, settings)
        if "r" in settings.model_fields_set:
            warnings.warn(
                f"r={settings.r} does nothing in AdaLoRA: training starts at init_r={settings.init_r} and ends at an "
                f"average of target_r={settings.target_r}; write init_r instead",
                IgnoredRankWarning,
                stacklevel=3,
            )
        return settings


def _refuse_unknown(title: str, data: dict[str, Any]) -> None:
    from adalint.schema import closest_field

    errors = []
    for name, value in data.items():
        if name not in AdaLoraSettings.model_fields:
            near = closest_field(str(name), given=data)
            text = f"AdaLoraConfig has no field {name}" + (f"; did you mean {near}?" if near else "")
            errors.append(_error(str(name), "unknown_field", text, value))
    if errors:
        raise ValidationError.from_exception_data(title, errors)


def _refuse_late_failures(title: str, settings: AdaLoraSettings) -> None:
    from adalint.schema import failures

    # Not model_dump: sub-configurations stay what they are.
    values = {name: getattr(settings, name) for name in AdaLoraSettings.model_fields}
    errors: list[InitErrorDetails] = []
    for name, failure in failures():
        waits_for_length = values["total_step"] is None and name in ("total_step", "tfinal")
        if failure.stage is Stage.SAVE or waits_for_length or any(error.get("loc") == (name,) for error in errors):
            continue
        if failure.when(values):
            text = f"{failure.message} (PEFT: {failure.exception} at {failure.stage}); {failure.remedy}"
            errors.append(_error(name, "peft_would_raise", text, values[name]))
    if errors:
        raise ValidationError.from_exception_data(title, errors)


def _error(name: str, kind: Literal["unknown_field", "peft_would_raise"], text: str, value: object) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError(kind, "{text}", {"text": text}), loc=(name,), input=value)
