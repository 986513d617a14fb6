"""What every configuration of PEFT has, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adalint.schema.conditions import CONSTRUCTION, FORWARD, METADATA, WRAP
from adalint.schema.facts import Facts, Failure, Undecided

if TYPE_CHECKING:
    from adalint.schema.facts import Values

TASK_TYPES: Final = ("SEQ_CLS", "SEQ_2_SEQ_LM", "CAUSAL_LM", "TOKEN_CLS", "QUESTION_ANS", "FEATURE_EXTRACTION")


def _trains_nothing(v: Values) -> bool:
    if not v["inference_mode"]:
        return False
    if v["bias"] != "none":
        raise Undecided
    return True


TASK_TYPE: Final = Facts(
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
)

PEFT_TYPE: Final = Facts(
    "Name of the method, ADALORA in a saved configuration.\n"
    "The constructor overwrites whatever is given; a saved configuration is read by it, case and all.",
    "方法名称, 保存的配置中为 ADALORA; 构造时总会被覆盖, 读取时区分大小写。",
    uses=METADATA,
)

AUTO_MAPPING: Final = Facts(
    "Class of the base model, which PEFT writes when there is no task_type.",
    "基础模型的类, 没有 task_type 时由 PEFT 写入。",
    since="0.4.0",
    uses=METADATA,
)

PEFT_VERSION: Final = Facts(
    "Release of PEFT that wrote the configuration.", "写入该配置的 PEFT 版本。", since="0.18.0", uses=METADATA
)

BASE_MODEL_NAME_OR_PATH: Final = Facts(
    "Name of the base model, which wrapping overwrites with the model's own.",
    "基础模型的名称, 包装时会被模型自己的名称覆盖。",
    uses=METADATA,
)

REVISION: Final = Facts("Revision of the base model.", "基础模型的版本 (revision)。", since="0.4.0", uses=METADATA)

INFERENCE_MODE: Final = Facts(
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
)
