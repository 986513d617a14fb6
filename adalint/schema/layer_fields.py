"""How an adapted layer is built: dropout, biases, its first weights."""

from __future__ import annotations

from typing import Final

from adalint.schema.conditions import CONSTRUCTION, IGNORED, SAVE, WRAP, no_number
from adalint.schema.facts import Bounds, Facts, Failure

LORA_DROPOUT: Final = Facts(
    "Dropout on the input of the adapter.\nA negative value means none.",
    "适配器输入上的 dropout; 负数等同于没有。",
    bounds=Bounds(ge=0, le=1),
    aliases=("dropout",),
    failures=(
        no_number("lora_dropout", WRAP, 71),
        Failure(
            WRAP,
            "ValueError",
            lambda v: v["lora_dropout"] > 1,
            "lora_dropout is above 1",
            "set lora_dropout between 0 and 1",
            72,
        ),
    ),
)

FAN_IN_FAN_OUT: Final = Facts(
    "Set for layers that store their weight as (in, out), such as GPT-2's Conv1D.\n"
    "PEFT corrects it with a warning where the layer says otherwise.",
    "权重按 (输入, 输出) 存储的层 (如 GPT-2 的 Conv1D) 需要设置; 与层不符时 PEFT 会警告并纠正。",
)

BIAS: Final = Facts(
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
)

INIT_LORA_WEIGHTS: Final = Facts(
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
)

LORA_BIAS: Final = Facts(
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
)
