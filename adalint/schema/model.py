"""Every field of PEFT 0.21.2's `AdaLoraConfig`, its own and the inherited, with all that is known of it.

Facts come from running PEFT and from reading all its releases from 0.3.0 on; `order` numbers follow the checks in
`PeftConfigMixin`, `LoraConfig` and `AdaLoraConfig.__post_init__` (construction), and in `BaseTuner.inject_adapter`,
`AdaLoraLayer.update_layer` and `RankAllocator.__init__` (wrap).
"""

from __future__ import annotations

import math
import re
import warnings
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from adalint.schema.facts import Bounds, Facts, Failure, Stage, Undecided, Use

if TYPE_CHECKING:
    from adalint.schema.facts import Values

TaskType: TypeAlias = Literal["SEQ_CLS", "SEQ_2_SEQ_LM", "CAUSAL_LM", "TOKEN_CLS", "QUESTION_ANS", "FEATURE_EXTRACTION"]
TASK_TYPES = ("SEQ_CLS", "SEQ_2_SEQ_LM", "CAUSAL_LM", "TOKEN_CLS", "QUESTION_ANS", "FEATURE_EXTRACTION")

EMBEDDINGS = frozenset(
    {
        "embed_tokens",
        "embedding",
        "embeddings",
        "position_embeddings",
        "token_type_embeddings",
        "word_embeddings",
        "wpe",
        "wte",
    }
)
"""Last segments of module names that are embeddings in the models people adapt."""

IGNORED = ((">=0.3", Use.IGNORED),)
METADATA = ((">=0.3", Use.METADATA),)
WRAP, CONSTRUCTION, FORWARD = Stage.WRAP, Stage.CONSTRUCTION, Stage.FORWARD
FIRST_MASK, STEP, SAVE = Stage.FIRST_MASK, Stage.STEP, Stage.SAVE


class IgnoredRankWarning(UserWarning):
    """`r` was written in an AdaLoRA configuration, where it does nothing."""


def _is_number(value: object) -> bool:
    """Tell whether PEFT can calculate with a value; a bool counts as 0 or 1 there."""
    return isinstance(value, int | float)


def _is_not_finite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _is_bad_pattern(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError):
        return True
    return False


def _has_bad_pattern(value: object) -> bool:
    return isinstance(value, dict) and any(_is_bad_pattern(rf"(.*\.)?({key})$") for key in value)


def _is_unhashable(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, list | dict | set) for item in value)


def _is_scalar(value: object) -> bool:
    """Tell whether a value is something that cannot be iterated over: a number or a truth value."""
    return isinstance(value, int | float)


def _is_no_config(value: object) -> bool:
    """Tell whether a literal can be no sub-configuration: PEFT takes its class, a dict or None."""
    return isinstance(value, int | float | str | list | tuple | set)


_LITERALS = (int, float, str, list, tuple, set, dict)
"""What a text can write; any other value is an instance of a class of PEFT."""


def embeddings_in(v: Values) -> list[str]:
    """List the entries of `target_modules` that name an embedding which is neither left out nor trained whole."""
    embeddings = _names_of_embeddings(v)
    if not embeddings:
        return []
    if isinstance(v["exclude_modules"], str) and v["exclude_modules"]:
        raise Undecided
    left_out = [*_names(v["exclude_modules"]), *_names(v["modules_to_save"])]
    return [name for name in embeddings if name not in left_out]


def _names_of_embeddings(v: Values) -> list[str]:
    names = [name for name in _names(v["target_modules"]) if isinstance(name, str)]
    return [name for name in names if name.split(".")[-1] in EMBEDDINGS]


def _targets_embedding(v: Values) -> bool:
    return bool(embeddings_in(v))


def _names(value: object) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple | set) else ()


def _selects_no_layer(v: Values) -> bool:
    return bool(v["layers_pattern"]) and v["layers_to_transform"] is None


def _selects_no_layer_before_0_21(v: Values) -> bool:
    return bool(v["layers_pattern"]) and not v["layers_to_transform"]


def _has_no_gradient(v: Values) -> bool:
    """Tell whether the loss reaches no parameter: before 0.6 a module of rank 0 is left out of the forward pass."""
    if v["init_r"] != 0 or v["inference_mode"]:
        return False
    if v["task_type"] is not None or v["bias"] != "none" or v["modules_to_save"]:
        raise Undecided
    return True


def _targets_no_module(v: Values) -> bool:
    """Tell whether `target_modules` is an empty list, and no parameters are targeted instead."""
    return isinstance(v["target_modules"], list | tuple | set) and not (v["target_modules"] or v["target_parameters"])


def _trains_nothing(v: Values) -> bool:
    if not v["inference_mode"]:
        return False
    if v["bias"] != "none":
        raise Undecided
    return True


def _is_unsaved_rank_pattern(v: Values) -> bool:
    """Tell whether saving fails on the user's own pattern; it is still there only when nothing was allocated."""
    pattern = v["rank_pattern"]
    if pattern is None:
        return False
    if not isinstance(pattern, dict):
        return True
    if any(isinstance(kept, list) for kept in pattern.values()):
        raise Undecided
    return bool(pattern)


def _no_number(name: str, stage: Stage, order: int, *, also_bad: tuple[type, ...] = (), peft: str = ">=0.3") -> Failure:
    kinds = "a number" if not also_bad else "a whole number"
    return Failure(
        stage,
        "TypeError",
        lambda v: not _is_number(v[name]) or isinstance(v[name], also_bad),
        f"{name} is not {kinds}",
        f"write {name} as {kinds}, without quotes",
        order,
        peft,
    )


def _no_name(name: str, exception: str, order: int, peft: str) -> Failure:
    return Failure(
        WRAP,
        exception,
        lambda v: any(not isinstance(item, str) for item in _names(v[name])),
        f"{name} lists something that is no name",
        f"write {name} as a list of names",
        order,
        peft,
    )


def _unsupported_config(name: str, config_class: str, order: int, peft: str = ">=0.21") -> Failure:
    return Failure(
        CONSTRUCTION,
        "TypeError",
        lambda v: _is_no_config(v[name]),
        f"{name} must be a {config_class}, a dict or None",
        f"delete {name}: AdaLoRA ignores it",
        order,
        peft,
    )


def _beta(name: str, doc: str, doc_zh: str, order: int) -> Facts:
    return Facts(
        doc,
        doc_zh,
        own=True,
        bounds=Bounds(gt=0, lt=1),
        failures=(
            Failure(
                WRAP,
                "TypeError",
                lambda v: not v["inference_mode"] and not _is_number(v[name]),
                f"{name} is not a number",
                f"write {name} as a number, without quotes",
                order,
            ),
            Failure(
                WRAP,
                "AssertionError",
                lambda v: not v["inference_mode"] and not 0 < v[name] < 1,
                f"{name} must lie between 0 and 1, both excluded",
                f"leave {name} at 0.85, as in the paper",
                order,
            ),
        ),
    )


class AdaLoraSettings(BaseModel):
    """Validate a configuration of AdaLoRA as PEFT's own class should.

    What PEFT would reject only when wrapping, at the first mask or at a later step is rejected here, with the reason
    and what to write instead. `r` is accepted for compatibility, with an `IgnoredRankWarning`. `total_step` may be
    left out while the length of the run is not known; the schedule is checked as soon as it is. Types are strict: "16"
    is no rank. Raises `pydantic.ValidationError`.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    # AdaLoRA's own fields

    init_r: Annotated[
        int,
        Facts(
            "Rank of every adapted module before pruning, and the divisor of the scale lora_alpha / init_r.\n"
            "Must be above target_r, or the first mask raises.",
            "剪枝前每个模块的秩, 也是缩放 lora_alpha / init_r 的分母; 必须大于 target_r。",
            own=True,
            bounds=Bounds(ge=1),
            aliases=("init_rank", "initial_r"),
            failures=(
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: not _is_number(v["init_r"]),
                    "init_r is not a whole number",
                    "write init_r as a whole number, without quotes",
                    70,
                ),
                Failure(
                    WRAP,
                    "ValueError",
                    lambda v: v["init_r"] < 0,
                    "init_r is negative",
                    "set init_r to at least 2, and target_r below it",
                    70,
                    ">=0.8",
                ),
                Failure(
                    WRAP,
                    "ValueError",
                    lambda v: v["init_r"] == 0,
                    "init_r is 0",
                    "set init_r to at least 2, and target_r below it",
                    70,
                    ">=0.8,<0.10",
                ),
                Failure(
                    WRAP,
                    "RuntimeError",
                    lambda v: isinstance(v["init_r"], int) and v["init_r"] < 0,
                    "init_r is negative",
                    "set init_r to at least 2, and target_r below it",
                    73,
                    "<0.8",
                ),
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: isinstance(v["init_r"], float | bool),
                    "init_r is not a whole number; PEFT refuses even 12.0",
                    "write init_r as a whole number",
                    73,
                ),
                Failure(
                    FORWARD,
                    "RuntimeError",
                    _has_no_gradient,
                    "init_r is 0, so there is nothing to train",
                    "set init_r to at least 2, and target_r below it",
                    30,
                    "<0.6",
                ),
                Failure(
                    FIRST_MASK,
                    "IndexError",
                    lambda v: v["init_r"] == 0,
                    "init_r is 0, so there is nothing to mask",
                    "set init_r to at least 2, and target_r below it",
                    peft=">=0.6",
                ),
            ),
        ),
    ] = 12
    target_r: Annotated[
        int,
        Facts(
            "Average rank per module at the end: the budget is target_r times the number of modules.\n"
            "Must be below init_r; 0 prunes everything away.",
            "结束时每个模块的平均秩, 总预算为 target_r 乘以模块数; 必须小于 init_r, 为 0 时全部剪掉。",
            own=True,
            bounds=Bounds(ge=0),
            aliases=("target_rank",),
            failures=(
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: not v["inference_mode"] and (v["target_r"] is None or isinstance(v["target_r"], dict)),
                    "target_r is not a number",
                    "write target_r as a whole number below init_r",
                    140,
                ),
                Failure(
                    FIRST_MASK,
                    "TypeError",
                    lambda v: not _is_number(v["target_r"]),
                    "target_r is not a number",
                    "write target_r as a whole number below init_r, without quotes",
                ),
                Failure(
                    FIRST_MASK,
                    "ValueError",
                    lambda v: _is_not_finite(v["target_r"]),
                    "target_r is not finite",
                    "write target_r as a whole number below init_r",
                ),
                Failure(
                    FIRST_MASK,
                    "RuntimeError",
                    lambda v: v["target_r"] >= v["init_r"] >= 1,
                    "target_r is not below init_r, so the first mask finds nothing to cut",
                    "set target_r below init_r, such as two thirds of it, or raise init_r",
                ),
                Failure(
                    STEP,
                    "RuntimeError",
                    lambda v: v["target_r"] < 0,
                    "target_r is negative, so the budget falls below 0 and a late mask raises",
                    "set target_r to at least 1",
                ),
            ),
        ),
    ] = 8
    tinit: Annotated[
        int,
        Facts(
            "Steps at the start without pruning; the first mask is the first multiple of deltaT above tinit.\n"
            "A negative value is accepted, and masks from step 0.",
            "开始时不剪枝的步数; 第一次掩码在大于 tinit 的第一个 deltaT 倍数处。",
            own=True,
            bounds=Bounds(ge=0),
            aliases=("t_init", "init_warmup", "warmup_init"),
            failures=(
                _no_number("tinit", CONSTRUCTION, 82, peft=">=0.15"),
                _no_number("tinit", FIRST_MASK, 1, peft="<0.15"),
            ),
        ),
    ] = 0
    tfinal: Annotated[
        int,
        Facts(
            "Steps at the end with fixed masks, counted back from total_step: a duration, not a point in time.\n"
            "Pruning happens in (tinit, total_step - tfinal], and ends with a forced mask.",
            "结束前掩码不再变化的步数, 从 total_step 往回数: 是时长而不是时间点。",
            own=True,
            bounds=Bounds(ge=0),
            aliases=("t_final", "final_warmup"),
            failures=(
                _no_number("tfinal", CONSTRUCTION, 82, peft=">=0.15"),
                _no_number("tfinal", STEP, 0, peft="<0.15"),
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: v["total_step"] > 0 and v["tinit"] >= v["total_step"] - v["tfinal"],
                    "tinit and tfinal leave no step of total_step for pruning",
                    "lower tinit or tfinal, or raise total_step, until tinit < total_step - tfinal",
                    83,
                    ">=0.15",
                ),
                Failure(
                    FIRST_MASK,
                    "KeyError",
                    lambda v: v["total_step"] is not None and 0 < v["total_step"] == v["tfinal"],
                    "the final phase begins with step 0, before there are scores",
                    "set tfinal below total_step",
                    3,
                ),
                Failure(
                    STEP,
                    "AttributeError",
                    lambda v: v["total_step"] is not None and 0 < v["total_step"] < v["tfinal"],
                    "the final phase begins before step 0, and there is no mask to keep",
                    "set tfinal below total_step",
                    1,
                ),
            ),
        ),
    ] = 0
    deltaT: Annotated[
        int,
        Facts(
            "Steps between two masks: PEFT masks when the step itself, not its distance from tinit, is a multiple.\n"
            "0 raises at step tinit + 1, a negative value works as its absolute value.",
            "两次掩码之间的步数, 以绝对步数取模; 为 0 时在 tinit + 1 步抛出异常, 负数等同其绝对值。",
            own=True,
            bounds=Bounds(ge=1),
            aliases=("delta_t", "deltat", "delta_T", "mask_interval", "update_interval", "delta_r"),
            failures=(
                _no_number("deltaT", FIRST_MASK, 2),
                Failure(
                    FIRST_MASK,
                    "ZeroDivisionError",
                    lambda v: v["deltaT"] == 0,
                    "deltaT is 0, so the first step after tinit raises",
                    "set deltaT to 1, or to the number of steps between two masks",
                    2,
                ),
            ),
        ),
    ] = 1
    beta1: Annotated[
        float,
        _beta(
            "beta1",
            "Decay of the running average of sensitivity, |weight * gradient| (AdaLoRA equation 9).\n"
            "The allocator keeps the value that it had when wrapping.",
            "敏感度指数滑动平均的衰减系数, 必须在 0 与 1 之间; 包装之后再修改不起作用。",
            130,
        ),
    ] = 0.85
    beta2: Annotated[
        float,
        _beta(
            "beta2",
            "Decay of the running average of uncertainty, the distance of sensitivity from its average (equation 10).\n"
            "The allocator keeps the value that it had when wrapping.",
            "不确定性指数滑动平均的衰减系数, 必须在 0 与 1 之间; 包装之后再修改不起作用。",
            131,
        ),
    ] = 0.85
    orth_reg_weight: Annotated[
        float,
        Facts(
            "Weight of the orthogonal penalty, the mean of ||A A^T - I|| and ||B^T B - I|| over all factors.\n"
            "Added to the loss, evaluation included, only when task_type is set and the model computes the loss.",
            "正交正则项的权重; 只有设置了 task_type 且由模型计算损失时才会加入损失 (评估时也会)。",
            own=True,
            bounds=Bounds(ge=0),
            aliases=("orth_reg", "orth_reg_coef", "reg_orth_coef"),
            failures=(
                _no_number("orth_reg_weight", CONSTRUCTION, 81, peft=">=0.20"),
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: v["orth_reg_weight"] < 0,
                    "orth_reg_weight is negative",
                    "set orth_reg_weight to 0 or above",
                    81,
                    ">=0.20",
                ),
                Failure(
                    FORWARD,
                    "TypeError",
                    lambda v: v["task_type"] in TASK_TYPES and not _is_number(v["orth_reg_weight"]),
                    "orth_reg_weight is not a number",
                    "write orth_reg_weight as a number, without quotes",
                    19,
                    "<0.20",
                ),
                Failure(
                    FORWARD,
                    "ValueError",
                    lambda v: v["task_type"] in TASK_TYPES and v["orth_reg_weight"] <= 0,
                    "orth_reg_weight must be above 0 with a task_type",
                    "set orth_reg_weight above 0, or upgrade to PEFT 0.20, which allows 0",
                    20,
                    ">=0.5,<0.20",
                ),
                Failure(
                    FORWARD,
                    "AssertionError",
                    lambda v: v["task_type"] in TASK_TYPES and v["orth_reg_weight"] <= 0,
                    "orth_reg_weight must be above 0 with a task_type",
                    "set orth_reg_weight above 0, or upgrade to PEFT 0.20, which allows 0",
                    20,
                    "<0.5",
                ),
            ),
        ),
    ] = 0.5
    total_step: Annotated[
        int | None,
        Facts(
            "Optimizer steps of the whole run; the schedule counts against it.\n"
            "Required from PEFT 0.15 on; before, a missing value raised at the first allocation.",
            "整个训练的优化器步数, 调度以它为准; 自 PEFT 0.15 起必填, 之前缺失时在第一次分配处抛出异常。",
            own=True,
            bounds=Bounds(gt=0),
            aliases=("total_steps", "max_steps", "total_train_steps"),
            failures=(
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: v["total_step"] is None,
                    "total_step is missing",
                    "set total_step to the number of optimizer steps of the run",
                    80,
                    ">=0.15",
                ),
                _no_number("total_step", CONSTRUCTION, 80, peft=">=0.15"),
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: v["total_step"] <= 0,
                    "total_step is not positive",
                    "set total_step to the number of optimizer steps of the run",
                    80,
                    ">=0.15",
                ),
                _no_number("total_step", STEP, 0, peft="<0.15"),
            ),
        ),
    ] = None
    rank_pattern: Annotated[
        dict[str, Any] | None,
        Facts(
            "Output of training: which ranks of each module are kept, one truth value per rank.\n"
            "Not an input: ranks written here are ignored in training, and break saving when nothing was allocated.",
            "训练的输出: 每个模块保留哪些秩; 不是输入, 自己填写的秩在训练中被忽略, 未分配时还会使保存失败。",
            own=True,
            uses=((">=0.3", Use.OUTPUT),),
            failures=(
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: bool(v["rank_pattern"]) and _is_scalar(v["rank_pattern"]),
                    "rank_pattern is no mapping",
                    "delete rank_pattern: training writes it",
                    100,
                    ">=0.21",
                ),
                Failure(
                    WRAP,
                    "re.error",
                    lambda v: _has_bad_pattern(v["rank_pattern"]),
                    "a key of rank_pattern is no valid pattern",
                    "delete rank_pattern: training writes it",
                    100,
                    ">=0.21",
                ),
                Failure(
                    SAVE,
                    "AttributeError",
                    lambda v: v["rank_pattern"] is not None and not isinstance(v["rank_pattern"], dict),
                    "rank_pattern is no mapping, and nothing was allocated in its place",
                    "delete rank_pattern: training writes it",
                    20,
                ),
                Failure(
                    SAVE,
                    "TypeError",
                    _is_unsaved_rank_pattern,
                    "rank_pattern holds ranks instead of truth values, and nothing was allocated in their place",
                    "delete rank_pattern: training writes it",
                    20,
                ),
            ),
        ),
    ] = None

    # LoRA's fields

    r: Annotated[
        int,
        Facts(
            "LoRA's rank, which AdaLoRA ignores in every release: init_r and target_r take its place.\n"
            "PEFT warns from 0.13 on, and only when the value is not 8.",
            "LoRA 的秩, AdaLoRA 在所有版本中都忽略它; 请使用 init_r 和 target_r。",
            uses=IGNORED,
            judged_elsewhere=True,
        ),
    ] = 8
    lora_alpha: Annotated[
        int | float,
        Facts(
            "Numerator of the scale lora_alpha / init_r, which pruning does not change.\n"
            "0 or below makes the scale 1, and another value after reloading.",
            "缩放 lora_alpha / init_r 的分子, 剪枝不会改变它; 小于等于 0 时缩放变为 1, 重新加载后又不同。",
            bounds=Bounds(gt=0),
            aliases=("alpha",),
            failures=(_no_number("lora_alpha", WRAP, 74),),
        ),
    ] = 8
    lora_dropout: Annotated[
        float,
        Facts(
            "Dropout on the input of the adapter.\nA negative value means none.",
            "适配器输入上的 dropout; 负数等同于没有。",
            bounds=Bounds(ge=0, le=1),
            aliases=("dropout",),
            failures=(
                _no_number("lora_dropout", WRAP, 71),
                Failure(
                    WRAP,
                    "ValueError",
                    lambda v: v["lora_dropout"] > 1,
                    "lora_dropout is above 1",
                    "set lora_dropout between 0 and 1",
                    72,
                ),
            ),
        ),
    ] = 0.0
    target_modules: Annotated[
        list[str] | set[str] | str | None,
        Facts(
            "Names of the modules to adapt: a list of endings, one regular expression, or `all-linear`.\n"
            "None takes AdaLoRA's own table of architectures, which is smaller than LoRA's.",
            "要适配的模块: 名称列表, 正则表达式, 或 all-linear; 省略时使用 AdaLoRA 自己的架构表 (比 LoRA 少)。",
            failures=(
                Failure(
                    CONSTRUCTION,
                    "TypeError",
                    lambda v: _is_unhashable(v["target_modules"]),
                    "target_modules is a nested list",
                    "write target_modules as a flat list of names",
                    21,
                    ">=0.11",
                ),
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: _is_scalar(v["target_modules"]),
                    "target_modules is neither a list nor a string",
                    "write target_modules as a list of names",
                    30,
                ),
                _no_name("target_modules", "AttributeError", 30, ">=0.19"),
                Failure(
                    WRAP,
                    "re.error",
                    lambda v: _is_bad_pattern(v["target_modules"]),
                    "target_modules is a string, read as a regular expression, and no valid one",
                    "mend the expression, or write a list of names",
                    31,
                ),
                Failure(
                    WRAP,
                    "ValueError",
                    _targets_no_module,
                    "target_modules is empty",
                    "list the modules to adapt, or delete target_modules",
                    61,
                    "<0.21",
                ),
                Failure(
                    WRAP,
                    "NoMatchingPeftModuleError",
                    _targets_no_module,
                    "target_modules is empty",
                    "list the modules to adapt, or delete target_modules",
                    61,
                    ">=0.21",
                ),
                Failure(
                    WRAP,
                    "ValueError",
                    _targets_embedding,
                    "target_modules names an embedding, which AdaLoRA cannot adapt",
                    "remove the embedding from target_modules",
                    65,
                    ">=0.7",
                ),
                Failure(
                    WRAP,
                    "AttributeError",
                    _targets_embedding,
                    "target_modules names an embedding, which AdaLoRA cannot adapt",
                    "remove the embedding from target_modules",
                    65,
                    ">=0.6,<0.7",
                ),
                Failure(
                    WRAP,
                    "AttributeError",
                    # modules_to_save takes an embedding out only from 0.6 on.
                    lambda v: bool(_names_of_embeddings(v)),
                    "target_modules names an embedding, which AdaLoRA cannot adapt",
                    "remove the embedding from target_modules",
                    65,
                    "<0.6",
                ),
            ),
        ),
    ] = None
    exclude_modules: Annotated[
        list[str] | set[str] | str | None,
        Facts(
            "Names, or one regular expression, of modules that are not adapted although target_modules names them.\n"
            "PEFT warns when nothing matches.",
            "即使在 target_modules 中也不适配的模块: 名称列表或正则表达式。",
            since="0.14.0",
            failures=(
                Failure(
                    CONSTRUCTION,
                    "TypeError",
                    lambda v: _is_unhashable(v["exclude_modules"]),
                    "exclude_modules is a nested list",
                    "write exclude_modules as a flat list of names",
                    22,
                ),
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: bool(v["exclude_modules"]) and _is_scalar(v["exclude_modules"]),
                    "exclude_modules is neither a list nor a string",
                    "write exclude_modules as a list of names",
                    60,
                ),
                Failure(
                    WRAP,
                    "re.error",
                    lambda v: _is_bad_pattern(v["exclude_modules"]),
                    "exclude_modules is a string, read as a regular expression, and no valid one",
                    "mend the expression, or write a list of names",
                    60,
                    "!=0.16.*,!=0.17.*",
                ),
                Failure(
                    WRAP,
                    "re.error",
                    lambda v: _is_bad_pattern(v["exclude_modules"]),
                    "exclude_modules is a string, read as a regular expression, and no valid one",
                    "mend the expression, or write a list of names",
                    15,
                    ">=0.16,<0.18",
                ),
            ),
        ),
    ] = None
    fan_in_fan_out: Annotated[
        bool,
        Facts(
            "Set for layers that store their weight as (in, out), such as GPT-2's Conv1D.\n"
            "PEFT corrects it with a warning where the layer says otherwise.",
            "权重按 (输入, 输出) 存储的层 (如 GPT-2 的 Conv1D) 需要设置; 与层不符时 PEFT 会警告并纠正。",
        ),
    ] = False
    bias: Annotated[
        Literal["none", "all", "lora_only"],
        Facts(
            "Which biases of the base model are trained as well: none, all, or those of adapted modules.\n"
            "From 0.18 on any word that ends in _only passes for lora_only.",
            "同时训练基础模型的哪些偏置: none, all 或 lora_only。",
            failures=(
                Failure(
                    WRAP,
                    "AttributeError",
                    lambda v: not isinstance(v["bias"], str),
                    "bias is no string",
                    'write bias="none"',
                    110,
                    ">=0.18",
                ),
                Failure(
                    WRAP,
                    "NotImplementedError",
                    lambda v: v["bias"] not in ("none", "all") and not v["bias"].endswith("_only"),
                    "bias is none of none, all and lora_only",
                    'write bias="none", "all" or "lora_only"',
                    110,
                    ">=0.18",
                ),
                Failure(
                    WRAP,
                    "NotImplementedError",
                    lambda v: v["bias"] not in ("none", "all", "lora_only"),
                    "bias is none of none, all and lora_only",
                    'write bias="none", "all" or "lora_only"',
                    110,
                    "<0.18",
                ),
                Failure(
                    SAVE,
                    "NotImplementedError",
                    lambda v: isinstance(v["bias"], str) and v["bias"].endswith("_only") and v["bias"] != "lora_only",
                    "bias is none of none, all and lora_only",
                    'write bias="none", "all" or "lora_only"',
                    10,
                    ">=0.18,<0.21",
                ),
            ),
        ),
    ] = "none"
    use_rslora: Annotated[
        bool,
        Facts(
            "LoRA's scale lora_alpha / sqrt(r).\nAdaLoRA ignores it: the scale stays lora_alpha / init_r.",
            "LoRA 的 lora_alpha / sqrt(r) 缩放; AdaLoRA 忽略它。",
            since="0.8.0",
            uses=IGNORED,
        ),
    ] = False
    modules_to_save: Annotated[
        list[str] | None,
        Facts(
            "Names of modules that are trained and saved whole, beside the adapter.\n"
            "Names that match nothing are ignored without a word.",
            "与适配器一起完整训练并保存的模块; 匹配不到的名称会被静默忽略。",
            failures=(
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: bool(v["modules_to_save"]) and _is_scalar(v["modules_to_save"]),
                    "modules_to_save is no list",
                    "write modules_to_save as a list of names",
                    20,
                    ">=0.16",
                ),
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: _is_scalar(v["modules_to_save"]),
                    "modules_to_save is no list",
                    "write modules_to_save as a list of names",
                    20,
                    "<0.16",
                ),
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: _is_unhashable(v["modules_to_save"]),
                    "modules_to_save is a nested list",
                    "write modules_to_save as a flat list of names",
                    20,
                    ">=0.19",
                ),
                _no_name("modules_to_save", "AttributeError", 20, ">=0.19"),
                _no_name("modules_to_save", "TypeError", 120, ">=0.16,<0.19"),
                _no_name("modules_to_save", "TypeError", 20, ">=0.14,<0.16"),
                _no_name("modules_to_save", "TypeError", 150, "<0.14"),
            ),
        ),
    ] = None
    init_lora_weights: Annotated[
        bool | str,
        Facts(
            "True starts as the identity (from 0.12 on), False from random factors, which is for debugging.\n"
            "Every other method that LoRA knows by name is ignored, and works like True.",
            "True 从恒等开始 (自 0.12 起), False 用于调试; LoRA 的其他初始化名称都被忽略, 等同于 True。",
            failures=(
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: v["init_lora_weights"] == "loftq",
                    "AdaLoRA does not support LoftQ",
                    "delete init_lora_weights",
                    60,
                    ">=0.14",
                ),
            ),
            ignored_when=lambda value: isinstance(value, str) and value not in {"", "loftq"},
        ),
    ] = True
    layers_to_transform: Annotated[
        list[int] | int | None,
        Facts(
            "Indices of the layers to adapt.\nOnly with a list of target_modules, not with a regular expression.",
            "要适配的层号; 只能与 target_modules 列表一起使用, 不能与正则表达式一起使用。",
            since="0.4.0",
            uses=((">=0.5", Use.HONOURED), ("<0.5", Use.IGNORED)),
            failures=(
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: v["layers_to_transform"] is not None and isinstance(v["target_modules"], str),
                    "layers_to_transform cannot be used when target_modules is a string",
                    "write target_modules as a list of names",
                    50,
                    ">=0.11",
                ),
                Failure(
                    WRAP,
                    "ValueError",
                    lambda v: v["layers_to_transform"] == [] and not isinstance(v["target_modules"], str),
                    "layers_to_transform is empty, so no layer is adapted",
                    "list the layers to adapt, or delete layers_to_transform",
                    61,
                    ">=0.5,<0.8",
                ),
            ),
        ),
    ] = None
    layers_pattern: Annotated[
        list[str] | str | None,
        Facts(
            "Name of the list of layers, such as `layers` or `h`, where layers_to_transform counts.\n"
            "Needs layers_to_transform.",
            "层列表的名称 (如 layers 或 h), 与 layers_to_transform 一起使用。",
            since="0.4.0",
            uses=((">=0.5", Use.HONOURED), ("<0.5", Use.IGNORED)),
            needs="layers_to_transform",
            failures=(
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: v["layers_pattern"] is not None and isinstance(v["target_modules"], str),
                    "layers_pattern cannot be used when target_modules is a string",
                    "write target_modules as a list of names",
                    51,
                    ">=0.11",
                ),
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    _selects_no_layer,
                    "layers_pattern needs layers_to_transform",
                    "set layers_to_transform, or delete layers_pattern",
                    52,
                    ">=0.21",
                ),
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    _selects_no_layer_before_0_21,
                    "layers_pattern needs layers_to_transform",
                    "set layers_to_transform, or delete layers_pattern",
                    52,
                    ">=0.14,<0.21",
                ),
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: (
                        v["layers_pattern"] is not None
                        and _is_scalar(v["layers_pattern"])
                        and v["layers_to_transform"] is not None
                        and v["layers_to_transform"] != []
                    ),
                    "layers_pattern is neither a list nor a string",
                    "write layers_pattern as a string",
                    61,
                ),
            ),
        ),
    ] = None
    alpha_pattern: Annotated[
        dict[str, int | float] | None,
        Facts(
            "LoRA's own lora_alpha for single modules.\nAdaLoRA ignores it.",
            "LoRA 为个别模块单独设置的 lora_alpha; AdaLoRA 忽略它。",
            since="0.6.0",
            uses=IGNORED,
            failures=(
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: bool(v["alpha_pattern"]) and _is_scalar(v["alpha_pattern"]),
                    "alpha_pattern is no mapping",
                    "delete alpha_pattern: AdaLoRA ignores it",
                    101,
                    ">=0.21",
                ),
                Failure(
                    WRAP,
                    "re.error",
                    lambda v: _has_bad_pattern(v["alpha_pattern"]),
                    "a key of alpha_pattern is no valid pattern",
                    "delete alpha_pattern: AdaLoRA ignores it",
                    101,
                    ">=0.21",
                ),
            ),
        ),
    ] = Field(default_factory=dict)
    megatron_config: Annotated[
        dict[str, Any] | None,
        Facts(
            "Megatron's configuration for LoRA's parallel layers.\nAdaLoRA has none, and ignores it.",
            "Megatron 并行层的配置; AdaLoRA 忽略它。",
            since="0.7.0",
            uses=IGNORED,
            config_class="TransformerConfig",
        ),
    ] = None
    megatron_core: Annotated[
        str | None,
        Facts(
            "Module that Megatron's parallel layers are taken from.\nMeans nothing in AdaLoRA.",
            "Megatron 核心模块的名称; 在 AdaLoRA 中没有作用。",
            since="0.7.0",
            uses=IGNORED,
            needs="megatron_config",
            judged_elsewhere=True,
        ),
    ] = "megatron.core"
    trainable_token_indices: Annotated[
        list[int] | dict[str, list[int]] | None,
        Facts(
            "Indices of single embedding rows that are trained beside the adapter.",
            "与适配器一起训练的个别词向量的下标。",
            since="0.15.0",
        ),
    ] = None
    loftq_config: Annotated[
        dict[str, Any],
        Facts(
            "LoftQ's configuration, which AdaLoRA does not support.\n"
            'From 0.14 on it is dropped with a warning unless init_lora_weights is "loftq"; 0.11 to 0.13 raise.',
            'LoftQ 的配置, AdaLoRA 不支持; 自 0.14 起除非 init_lora_weights="loftq", 否则警告并丢弃。',
            since="0.7.0",
            uses=((">=0.14", Use.IGNORED), (">=0.11,<0.14", Use.REFUSED), ("<0.11", Use.IGNORED)),
            config_class="LoftQConfig",
            failures=(
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: bool(v["loftq_config"]),
                    "AdaLoRA does not support LoftQ",
                    "delete loftq_config",
                    71,
                    ">=0.11,<0.14",
                ),
            ),
        ),
    ] = Field(default_factory=dict)
    eva_config: Annotated[
        dict[str, Any] | None,
        Facts(
            "Configuration of LoRA's EVA initialisation.\nAdaLoRA ignores it.",
            "LoRA 的 EVA 初始化配置; AdaLoRA 忽略它。",
            since="0.14.0",
            uses=IGNORED,
            config_class="EvaConfig",
            failures=(_unsupported_config("eva_config", "EvaConfig", 32),),
        ),
    ] = None
    corda_config: Annotated[
        dict[str, Any] | None,
        Facts(
            "Configuration of LoRA's CorDA initialisation.\nAdaLoRA ignores it.",
            "LoRA 的 CorDA 初始化配置; AdaLoRA 忽略它。",
            since="0.15.0",
            uses=IGNORED,
            config_class="CordaConfig",
            failures=(_unsupported_config("corda_config", "CordaConfig", 33),),
        ),
    ] = None
    lora_ga_config: Annotated[
        dict[str, Any] | None,
        Facts(
            "Configuration of LoRA-GA's initialisation.\nAdaLoRA ignores it.",
            "LoRA-GA 初始化配置; AdaLoRA 忽略它。",
            since="0.19.0",
            uses=IGNORED,
            config_class="LoraGAConfig",
            failures=(_unsupported_config("lora_ga_config", "LoraGAConfig", 34),),
        ),
    ] = None
    use_dora: Annotated[
        bool,
        Facts(
            "DoRA's split into magnitude and direction, which AdaLoRA does not support.\n"
            "Raises from 0.11 on; 0.9 and 0.10 ignored it.",
            "DoRA 分解, AdaLoRA 不支持; 自 0.11 起抛出异常, 0.9 和 0.10 忽略它。",
            since="0.9.0",
            uses=((">=0.11", Use.REFUSED), ("<0.11", Use.IGNORED)),
            judged_elsewhere=True,
            failures=(
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: bool(v["use_dora"]),
                    "AdaLoRA does not support DoRA",
                    "delete use_dora",
                    70,
                    ">=0.11",
                ),
            ),
        ),
    ] = False
    velora_config: Annotated[
        dict[str, Any] | None,
        Facts(
            "Configuration of LoRA's VeLoRA variant.\nAdaLoRA ignores it.",
            "LoRA 的 VeLoRA 变体配置; AdaLoRA 忽略它。",
            since="0.20.0",
            uses=IGNORED,
            config_class="VeloraConfig",
            failures=(_unsupported_config("velora_config", "VeloraConfig", 30, ">=0.20"),),
        ),
    ] = None
    alora_invocation_tokens: Annotated[
        list[int] | None,
        Facts(
            "Tokens that switch an Activated LoRA on, which AdaLoRA's layers do not know.\n"
            "With task_type CAUSAL_LM the first forward raises; otherwise they are ignored with a warning.",
            "激活 aLoRA 的标记, AdaLoRA 的层不支持; task_type 为 CAUSAL_LM 时第一次前向就抛出异常。",
            since="0.18.0",
            uses=((">=0.18", Use.REFUSED),),
            failures=(
                Failure(
                    FORWARD,
                    "TypeError",
                    lambda v: bool(v["alora_invocation_tokens"]) and v["task_type"] == "CAUSAL_LM",
                    "AdaLoRA does not support alora_invocation_tokens",
                    "delete alora_invocation_tokens",
                    10,
                ),
            ),
        ),
    ] = None
    use_qalora: Annotated[
        bool,
        Facts(
            "LoRA's quantisation-aware variant for GPTQ.\nAdaLoRA ignores it.",
            "LoRA 面向 GPTQ 的量化感知变体; AdaLoRA 忽略它。",
            since="0.16.0",
            uses=IGNORED,
        ),
    ] = False
    qalora_group_size: Annotated[
        int,
        Facts(
            "Size of the groups in QA-LoRA.\nMeans nothing in AdaLoRA.",
            "QA-LoRA 的分组大小; 在 AdaLoRA 中没有作用。",
            since="0.16.0",
            uses=IGNORED,
            needs="use_qalora",
            judged_elsewhere=True,
        ),
    ] = 16
    monteclora_config: Annotated[
        dict[str, Any] | None,
        Facts(
            "Configuration of LoRA's Monte Carlo variant.\nAdaLoRA ignores it.",
            "LoRA 的 Monte Carlo 变体配置; AdaLoRA 忽略它。",
            since="0.20.0",
            uses=IGNORED,
            config_class="MontecloraConfig",
        ),
    ] = None
    layer_replication: Annotated[
        list[list[int] | tuple[int, int]] | None,
        Facts(
            "Ranges of layers to stack, so that a model grows while its weights stay shared.\n"
            "Only for models built like Llama, BERT or Falcon.",
            "要重复堆叠的层范围; 只适用于 Llama, BERT 或 Falcon 结构的模型。",
            since="0.10.0",
            failures=(
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: bool(v["layer_replication"]) and _is_scalar(v["layer_replication"]),
                    "layer_replication is no list of ranges",
                    "write layer_replication as a list of [start, end] pairs",
                    50,
                ),
            ),
        ),
    ] = None
    runtime_config: Annotated[
        dict[str, Any] | None,
        Facts(
            "LoRA's settings for offloading at run time; never saved.\nAdaLoRA ignores it.",
            "LoRA 的运行时卸载设置, 不会保存; AdaLoRA 忽略它。",
            since="0.12.0",
            uses=IGNORED,
            config_class="LoraRuntimeConfig",
        ),
    ] = Field(default_factory=lambda: {"ephemeral_gpu_offload": False})
    lora_bias: Annotated[
        bool,
        Facts(
            "A bias on LoRA's second factor.\nAdaLoRA ignores it.",
            "LoRA 第二个因子上的偏置; AdaLoRA 忽略它。",
            since="0.14.0",
            uses=IGNORED,
            failures=(
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: bool(v["lora_bias"]) and v["init_lora_weights"] not in (True, False),
                    "lora_bias cannot be used when init_lora_weights is neither true nor false",
                    "delete lora_bias: AdaLoRA ignores it",
                    61,
                ),
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: bool(v["lora_bias"]) and bool(v["use_dora"]),
                    "lora_bias cannot be used with use_dora",
                    "delete both: AdaLoRA supports neither",
                    62,
                ),
            ),
        ),
    ] = False
    target_parameters: Annotated[
        list[str] | None,
        Facts(
            "Names of bare parameters to adapt, for mixtures of experts.\nAdaLoRA raises as soon as one matches.",
            "要适配的裸参数名称 (用于混合专家); AdaLoRA 一旦匹配到就抛出异常。",
            since="0.17.0",
            uses=((">=0.17", Use.REFUSED),),
            failures=(
                Failure(
                    CONSTRUCTION,
                    "TypeError",
                    lambda v: isinstance(v["target_parameters"], str),
                    "target_parameters is no list",
                    "delete target_parameters: AdaLoRA does not support it",
                    40,
                ),
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: bool(v["target_parameters"]) and _is_scalar(v["target_parameters"]),
                    "target_parameters is no list",
                    "delete target_parameters: AdaLoRA does not support it",
                    15,
                    ">=0.18",
                ),
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: bool(v["target_parameters"]),
                    "AdaLoRA does not support target_parameters",
                    "delete target_parameters",
                    80,
                ),
            ),
        ),
    ] = None
    use_bdlora: Annotated[
        dict[str, Any] | None,
        Facts(
            "Configuration of LoRA's block-diagonal variant, not a switch.\nAdaLoRA ignores it.",
            "LoRA 的分块对角变体配置 (不是开关); AdaLoRA 忽略它。",
            since="0.19.0",
            uses=IGNORED,
            config_class="BdLoraConfig",
            failures=(
                _unsupported_config("use_bdlora", "BdLoraConfig", 36),
                Failure(
                    SAVE,
                    "TypeError",
                    lambda v: v["use_bdlora"] is not None and not isinstance(v["use_bdlora"], _LITERALS),
                    "PEFT cannot save a BdLoraConfig",
                    "delete use_bdlora: AdaLoRA ignores it",
                    0,
                    ">=0.19,<0.20",
                ),
            ),
        ),
    ] = None
    arrow_config: Annotated[
        dict[str, Any] | None,
        Facts(
            "Configuration of Arrow's routing between LoRA adapters.\nAdaLoRA ignores it.",
            "Arrow 路由配置; AdaLoRA 忽略它。",
            since="0.18.0",
            uses=IGNORED,
            config_class="ArrowConfig",
            failures=(_unsupported_config("arrow_config", "ArrowConfig", 35),),
        ),
    ] = None
    kasa_config: Annotated[
        dict[str, Any] | None,
        Facts(
            "Configuration of LoRA's KaSA variant.\nAdaLoRA ignores it.",
            "LoRA 的 KaSA 变体配置; AdaLoRA 忽略它。",
            since="0.21.0",
            uses=IGNORED,
            config_class="KasaConfig",
            failures=(_unsupported_config("kasa_config", "KasaConfig", 31),),
        ),
    ] = None
    ensure_weight_tying: Annotated[
        bool,
        Facts(
            "Keeps tied weights tied when an embedding is trained beside the adapter.\n"
            "PEFT warns when the model ties none.",
            "训练词向量时保持权重绑定; 模型没有绑定权重时 PEFT 会警告。",
            since="0.18.0",
        ),
    ] = False

    # What every PEFT configuration has

    task_type: Annotated[
        TaskType | None,
        Facts(
            "Kind of model, which decides the class that wraps it.\n"
            "Without it the orthogonal penalty is never added, in every release.",
            "模型的任务类型, 决定包装类; 不设置时正交正则项永远不会加入损失。",
            failures=(
                Failure(
                    CONSTRUCTION,
                    "ValueError",
                    lambda v: v["task_type"] is not None and v["task_type"] not in TASK_TYPES,
                    "task_type is no task type",
                    f"write one of {', '.join(TASK_TYPES)}",
                    10,
                    ">=0.14",
                ),
                Failure(
                    WRAP,
                    "TypeError",
                    lambda v: isinstance(v["task_type"], list | dict | set),
                    "task_type is no task type",
                    f"write one of {', '.join(TASK_TYPES)}",
                    5,
                    "<0.14",
                ),
            ),
        ),
    ] = None
    peft_type: Annotated[
        str | None,
        Facts(
            "Name of the method, ADALORA in a saved configuration.\n"
            "The constructor overwrites whatever is given; a saved configuration is read by it, case and all.",
            "方法名称, 保存的配置中为 ADALORA; 构造时总会被覆盖, 读取时区分大小写。",
            uses=METADATA,
        ),
    ] = None
    auto_mapping: Annotated[
        dict[str, Any] | None,
        Facts(
            "Class of the base model, which PEFT writes when there is no task_type.",
            "基础模型的类, 没有 task_type 时由 PEFT 写入。",
            since="0.4.0",
            uses=METADATA,
        ),
    ] = None
    peft_version: Annotated[
        str | None,
        Facts(
            "Release of PEFT that wrote the configuration.", "写入该配置的 PEFT 版本。", since="0.18.0", uses=METADATA
        ),
    ] = None
    base_model_name_or_path: Annotated[
        str | None,
        Facts(
            "Name of the base model, which wrapping overwrites with the model's own.",
            "基础模型的名称, 包装时会被模型自己的名称覆盖。",
            uses=METADATA,
        ),
    ] = None
    revision: Annotated[
        str | None,
        Facts("Revision of the base model.", "基础模型的版本 (revision)。", since="0.4.0", uses=METADATA),
    ] = None
    inference_mode: Annotated[
        bool,
        Facts(
            "True in a saved configuration: the adapter is loaded frozen.\n"
            "In training nothing is left to train, and the optimizer refuses.",
            "保存的配置中为 True, 加载时适配器被冻结; 训练时没有可训练参数, 优化器会抛出异常。",
            failures=(
                Failure(
                    FORWARD,
                    "ValueError",
                    _trains_nothing,
                    "inference_mode leaves the optimizer without a parameter",
                    "delete inference_mode when training",
                ),
            ),
        ),
    ] = False

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
        if failure.stage is SAVE or waits_for_length or any(error.get("loc") == (name,) for error in errors):
            continue
        if failure.when(values):
            text = f"{failure.message} (PEFT: {failure.exception} at {failure.stage}); {failure.remedy}"
            errors.append(_error(name, "peft_would_raise", text, values[name]))
    if errors:
        raise ValidationError.from_exception_data(title, errors)


def _error(name: str, kind: Literal["unknown_field", "peft_would_raise"], text: str, value: object) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError(kind, "{text}", {"text": text}), loc=(name,), input=value)
