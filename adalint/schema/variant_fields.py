"""LoRA's variants, none of which AdaLoRA has: what PEFT does with each."""

from __future__ import annotations

from typing import Final

from adalint.schema.conditions import CONSTRUCTION, FORWARD, IGNORED, SAVE
from adalint.schema.facts import Facts, Failure, Use

_LITERALS: Final = (int, float, str, list, tuple, set, dict)
"""What a text can write; any other value is an instance of a class of PEFT."""


def _is_no_config(value: object) -> bool:
    """Tell whether a literal can be no sub-configuration: PEFT takes its class, a dict or None."""
    return isinstance(value, int | float | str | list | tuple | set)


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


LOFTQ_CONFIG: Final = Facts(
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
)

EVA_CONFIG: Final = Facts(
    "Configuration of LoRA's EVA initialisation.\nAdaLoRA ignores it.",
    "LoRA 的 EVA 初始化配置; AdaLoRA 忽略它。",
    since="0.14.0",
    uses=IGNORED,
    config_class="EvaConfig",
    failures=(_unsupported_config("eva_config", "EvaConfig", 32),),
)

CORDA_CONFIG: Final = Facts(
    "Configuration of LoRA's CorDA initialisation.\nAdaLoRA ignores it.",
    "LoRA 的 CorDA 初始化配置; AdaLoRA 忽略它。",
    since="0.15.0",
    uses=IGNORED,
    config_class="CordaConfig",
    failures=(_unsupported_config("corda_config", "CordaConfig", 33),),
)

LORA_GA_CONFIG: Final = Facts(
    "Configuration of LoRA-GA's initialisation.\nAdaLoRA ignores it.",
    "LoRA-GA 初始化配置; AdaLoRA 忽略它。",
    since="0.19.0",
    uses=IGNORED,
    config_class="LoraGAConfig",
    failures=(_unsupported_config("lora_ga_config", "LoraGAConfig", 34),),
)

USE_DORA: Final = Facts(
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
)

VELORA_CONFIG: Final = Facts(
    "Configuration of LoRA's VeLoRA variant.\nAdaLoRA ignores it.",
    "LoRA 的 VeLoRA 变体配置; AdaLoRA 忽略它。",
    since="0.20.0",
    uses=IGNORED,
    config_class="VeloraConfig",
    failures=(_unsupported_config("velora_config", "VeloraConfig", 30, ">=0.20"),),
)

ALORA_INVOCATION_TOKENS: Final = Facts(
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
)

USE_QALORA: Final = Facts(
    "LoRA's quantisation-aware variant for GPTQ.\nAdaLoRA ignores it.",
    "LoRA 面向 GPTQ 的量化感知变体; AdaLoRA 忽略它。",
    since="0.16.0",
    uses=IGNORED,
)

QALORA_GROUP_SIZE: Final = Facts(
    "Size of the groups in QA-LoRA.\nMeans nothing in AdaLoRA.",
    "QA-LoRA 的分组大小; 在 AdaLoRA 中没有作用。",
    since="0.16.0",
    uses=IGNORED,
    needs="use_qalora",
    judged_elsewhere=True,
)

MONTECLORA_CONFIG: Final = Facts(
    "Configuration of LoRA's Monte Carlo variant.\nAdaLoRA ignores it.",
    "LoRA 的 Monte Carlo 变体配置; AdaLoRA 忽略它。",
    since="0.20.0",
    uses=IGNORED,
    config_class="MontecloraConfig",
)

RUNTIME_CONFIG: Final = Facts(
    "LoRA's settings for offloading at run time; never saved.\nAdaLoRA ignores it.",
    "LoRA 的运行时卸载设置, 不会保存; AdaLoRA 忽略它。",
    since="0.12.0",
    uses=IGNORED,
    config_class="LoraRuntimeConfig",
)

USE_BDLORA: Final = Facts(
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
)

ARROW_CONFIG: Final = Facts(
    "Configuration of Arrow's routing between LoRA adapters.\nAdaLoRA ignores it.",
    "Arrow 路由配置; AdaLoRA 忽略它。",
    since="0.18.0",
    uses=IGNORED,
    config_class="ArrowConfig",
    failures=(_unsupported_config("arrow_config", "ArrowConfig", 35),),
)

KASA_CONFIG: Final = Facts(
    "Configuration of LoRA's KaSA variant.\nAdaLoRA ignores it.",
    "LoRA 的 KaSA 变体配置; AdaLoRA 忽略它。",
    since="0.21.0",
    uses=IGNORED,
    config_class="KasaConfig",
    failures=(_unsupported_config("kasa_config", "KasaConfig", 31),),
)

MEGATRON_CONFIG: Final = Facts(
    "Megatron's configuration for LoRA's parallel layers.\nAdaLoRA has none, and ignores it.",
    "Megatron 并行层的配置; AdaLoRA 忽略它。",
    since="0.7.0",
    uses=IGNORED,
    config_class="TransformerConfig",
)

MEGATRON_CORE: Final = Facts(
    "Module that Megatron's parallel layers are taken from.\nMeans nothing in AdaLoRA.",
    "Megatron 核心模块的名称; 在 AdaLoRA 中没有作用。",
    since="0.7.0",
    uses=IGNORED,
    needs="megatron_config",
    judged_elsewhere=True,
)
