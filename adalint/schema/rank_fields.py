"""Ranks and the scale: what is known of the fields that decide on either, or seem to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from adalint.schema.conditions import (
    FIRST_MASK,
    FORWARD,
    IGNORED,
    SAVE,
    STEP,
    WRAP,
    has_bad_pattern,
    is_number,
    no_number,
)
from adalint.schema.facts import Bounds, Facts, Failure, Undecided, Use

if TYPE_CHECKING:
    from adalint.schema.facts import Values


def _is_not_finite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _has_no_gradient(v: Values) -> bool:
    """Tell whether the loss reaches no parameter: before 0.6 a module of rank 0 is left out of the forward pass."""
    if v["init_r"] != 0 or v["inference_mode"]:
        return False
    if v["task_type"] is not None or v["bias"] != "none" or v["modules_to_save"]:
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


INIT_R: Final = Facts(
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
            lambda v: not is_number(v["init_r"]),
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
)

TARGET_R: Final = Facts(
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
            lambda v: not is_number(v["target_r"]),
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
)

RANK_PATTERN: Final = Facts(
    "Output of training: which ranks of each module are kept, one truth value per rank.\n"
    "Not an input: ranks written here are ignored in training, and break saving when nothing was allocated.",
    "训练的输出: 每个模块保留哪些秩; 不是输入, 自己填写的秩在训练中被忽略, 未分配时还会使保存失败。",
    own=True,
    uses=((">=0.3", Use.OUTPUT),),
    failures=(
        Failure(
            WRAP,
            "TypeError",
            lambda v: bool(v["rank_pattern"]) and is_number(v["rank_pattern"]),
            "rank_pattern is no mapping",
            "delete rank_pattern: training writes it",
            100,
            ">=0.21",
        ),
        Failure(
            WRAP,
            "re.error",
            lambda v: has_bad_pattern(v["rank_pattern"]),
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
)

R: Final = Facts(
    "LoRA's rank, which AdaLoRA ignores in every release: init_r and target_r take its place.\n"
    "PEFT warns from 0.13 on, and only when the value is not 8.",
    "LoRA 的秩, AdaLoRA 在所有版本中都忽略它; 请使用 init_r 和 target_r。",
    uses=IGNORED,
    judged_elsewhere=True,
)

LORA_ALPHA: Final = Facts(
    "Numerator of the scale lora_alpha / init_r, which pruning does not change.\n"
    "0 or below makes the scale 1, and another value after reloading.",
    "缩放 lora_alpha / init_r 的分子, 剪枝不会改变它; 小于等于 0 时缩放变为 1, 重新加载后又不同。",
    bounds=Bounds(gt=0),
    aliases=("alpha",),
    failures=(no_number("lora_alpha", WRAP, 74),),
)

ALPHA_PATTERN: Final = Facts(
    "LoRA's own lora_alpha for single modules.\nAdaLoRA ignores it.",
    "LoRA 为个别模块单独设置的 lora_alpha; AdaLoRA 忽略它。",
    since="0.6.0",
    uses=IGNORED,
    failures=(
        Failure(
            WRAP,
            "TypeError",
            lambda v: bool(v["alpha_pattern"]) and is_number(v["alpha_pattern"]),
            "alpha_pattern is no mapping",
            "delete alpha_pattern: AdaLoRA ignores it",
            101,
            ">=0.21",
        ),
        Failure(
            WRAP,
            "re.error",
            lambda v: has_bad_pattern(v["alpha_pattern"]),
            "a key of alpha_pattern is no valid pattern",
            "delete alpha_pattern: AdaLoRA ignores it",
            101,
            ">=0.21",
        ),
    ),
)

USE_RSLORA: Final = Facts(
    "LoRA's scale lora_alpha / sqrt(r).\nAdaLoRA ignores it: the scale stays lora_alpha / init_r.",
    "LoRA 的 lora_alpha / sqrt(r) 缩放; AdaLoRA 忽略它。",
    since="0.8.0",
    uses=IGNORED,
)
