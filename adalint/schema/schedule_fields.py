"""The schedule, and what the allocator weighs: what is known of AdaLoRA's own fields beside the ranks."""

from __future__ import annotations

from typing import Final

from adalint.schema.common_fields import TASK_TYPES
from adalint.schema.conditions import CONSTRUCTION, FIRST_MASK, FORWARD, STEP, WRAP, is_number, no_number
from adalint.schema.facts import Bounds, Facts, Failure


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
                lambda v: not v["inference_mode"] and not is_number(v[name]),
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


TINIT: Final = Facts(
    "Steps at the start without pruning; the first mask is the first multiple of deltaT above tinit.\n"
    "A negative value is accepted, and masks from step 0.",
    "开始时不剪枝的步数; 第一次掩码在大于 tinit 的第一个 deltaT 倍数处。",
    own=True,
    bounds=Bounds(ge=0),
    aliases=("t_init", "init_warmup", "warmup_init"),
    failures=(
        no_number("tinit", CONSTRUCTION, 82, peft=">=0.15"),
        no_number("tinit", FIRST_MASK, 1, peft="<0.15"),
    ),
)

TFINAL: Final = Facts(
    "Steps at the end with fixed masks, counted back from total_step: a duration, not a point in time.\n"
    "Pruning happens in (tinit, total_step - tfinal], and ends with a forced mask.",
    "结束前掩码不再变化的步数, 从 total_step 往回数: 是时长而不是时间点。",
    own=True,
    bounds=Bounds(ge=0),
    aliases=("t_final", "final_warmup"),
    failures=(
        no_number("tfinal", CONSTRUCTION, 82, peft=">=0.15"),
        no_number("tfinal", STEP, 0, peft="<0.15"),
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
)

DELTAT: Final = Facts(
    "Steps between two masks: PEFT masks when the step itself, not its distance from tinit, is a multiple.\n"
    "0 raises at step tinit + 1, a negative value works as its absolute value.",
    "两次掩码之间的步数, 以绝对步数取模; 为 0 时在 tinit + 1 步抛出异常, 负数等同其绝对值。",
    own=True,
    bounds=Bounds(ge=1),
    aliases=("delta_t", "deltat", "delta_T", "mask_interval", "update_interval", "delta_r"),
    failures=(
        no_number("deltaT", FIRST_MASK, 2),
        Failure(
            FIRST_MASK,
            "ZeroDivisionError",
            lambda v: v["deltaT"] == 0,
            "deltaT is 0, so the first step after tinit raises",
            "set deltaT to 1, or to the number of steps between two masks",
            2,
        ),
    ),
)

TOTAL_STEP: Final = Facts(
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
        no_number("total_step", CONSTRUCTION, 80, peft=">=0.15"),
        Failure(
            CONSTRUCTION,
            "ValueError",
            lambda v: v["total_step"] <= 0,
            "total_step is not positive",
            "set total_step to the number of optimizer steps of the run",
            80,
            ">=0.15",
        ),
        no_number("total_step", STEP, 0, peft="<0.15"),
    ),
)

BETA1: Final = _beta(
    "beta1",
    "Decay of the running average of sensitivity, |weight * gradient| (AdaLoRA equation 9).\n"
    "The allocator keeps the value that it had when wrapping.",
    "敏感度指数滑动平均的衰减系数, 必须在 0 与 1 之间; 包装之后再修改不起作用。",
    130,
)

BETA2: Final = _beta(
    "beta2",
    "Decay of the running average of uncertainty, the distance of sensitivity from its average (equation 10).\n"
    "The allocator keeps the value that it had when wrapping.",
    "不确定性指数滑动平均的衰减系数, 必须在 0 与 1 之间; 包装之后再修改不起作用。",
    131,
)

ORTH_REG_WEIGHT: Final = Facts(
    "Weight of the orthogonal penalty, the mean of ||A A^T - I|| and ||B^T B - I|| over all factors.\n"
    "Added to the loss, evaluation included, only when task_type is set and the model computes the loss.",
    "正交正则项的权重; 只有设置了 task_type 且由模型计算损失时才会加入损失 (评估时也会)。",
    own=True,
    bounds=Bounds(ge=0),
    aliases=("orth_reg", "orth_reg_coef", "reg_orth_coef"),
    failures=(
        no_number("orth_reg_weight", CONSTRUCTION, 81, peft=">=0.20"),
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
            lambda v: v["task_type"] in TASK_TYPES and not is_number(v["orth_reg_weight"]),
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
)
