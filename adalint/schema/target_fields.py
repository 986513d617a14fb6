"""Where to adapt, and what is trained beside it: what is known of the fields that name modules or layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adalint.schema.conditions import CONSTRUCTION, WRAP, is_bad_pattern, is_number, is_unhashable, names_in
from adalint.schema.embeddings import embeddings_in, named_embeddings
from adalint.schema.facts import Facts, Failure, Use

if TYPE_CHECKING:
    from adalint.schema.facts import Values


def _selects_no_layer(v: Values) -> bool:
    return bool(v["layers_pattern"]) and v["layers_to_transform"] is None


def _selects_no_layer_before_0_21(v: Values) -> bool:
    return bool(v["layers_pattern"]) and not v["layers_to_transform"]


def _targets_no_module(v: Values) -> bool:
    """Tell whether `target_modules` is an empty list, and no parameters are targeted instead."""
    return isinstance(v["target_modules"], list | tuple | set) and not (v["target_modules"] or v["target_parameters"])


def _targets_embedding(v: Values) -> bool:
    return bool(embeddings_in(v))


def _no_name(name: str, exception: str, order: int, peft: str) -> Failure:
    return Failure(
        WRAP,
        exception,
        lambda v: any(not isinstance(item, str) for item in names_in(v[name])),
        f"{name} lists something that is no name",
        f"write {name} as a list of names",
        order,
        peft,
    )


TARGET_MODULES: Final = Facts(
    "Names of the modules to adapt: a list of endings, one regular expression, or `all-linear`.\n"
    "None takes AdaLoRA's own table of architectures, which is smaller than LoRA's.",
    "要适配的模块: 名称列表, 正则表达式, 或 all-linear; 省略时使用 AdaLoRA 自己的架构表 (比 LoRA 少)。",
    failures=(
        Failure(
            CONSTRUCTION,
            "TypeError",
            lambda v: is_unhashable(v["target_modules"]),
            "target_modules is a nested list",
            "write target_modules as a flat list of names",
            21,
            ">=0.11",
        ),
        Failure(
            WRAP,
            "TypeError",
            lambda v: is_number(v["target_modules"]),
            "target_modules is neither a list nor a string",
            "write target_modules as a list of names",
            30,
        ),
        _no_name("target_modules", "AttributeError", 30, ">=0.19"),
        Failure(
            WRAP,
            "re.error",
            lambda v: is_bad_pattern(v["target_modules"]),
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
            lambda v: bool(named_embeddings(v)),
            "target_modules names an embedding, which AdaLoRA cannot adapt",
            "remove the embedding from target_modules",
            65,
            "<0.6",
        ),
    ),
)

EXCLUDE_MODULES: Final = Facts(
    "Names, or one regular expression, of modules that are not adapted although target_modules names them.\n"
    "PEFT warns when nothing matches.",
    "即使在 target_modules 中也不适配的模块: 名称列表或正则表达式。",
    since="0.14.0",
    failures=(
        Failure(
            CONSTRUCTION,
            "TypeError",
            lambda v: is_unhashable(v["exclude_modules"]),
            "exclude_modules is a nested list",
            "write exclude_modules as a flat list of names",
            22,
        ),
        Failure(
            WRAP,
            "TypeError",
            lambda v: bool(v["exclude_modules"]) and is_number(v["exclude_modules"]),
            "exclude_modules is neither a list nor a string",
            "write exclude_modules as a list of names",
            60,
        ),
        Failure(
            WRAP,
            "re.error",
            lambda v: is_bad_pattern(v["exclude_modules"]),
            "exclude_modules is a string, read as a regular expression, and no valid one",
            "mend the expression, or write a list of names",
            60,
            "!=0.16.*,!=0.17.*",
        ),
        Failure(
            WRAP,
            "re.error",
            lambda v: is_bad_pattern(v["exclude_modules"]),
            "exclude_modules is a string, read as a regular expression, and no valid one",
            "mend the expression, or write a list of names",
            15,
            ">=0.16,<0.18",
        ),
    ),
)

MODULES_TO_SAVE: Final = Facts(
    "Names of modules that are trained and saved whole, beside the adapter.\n"
    "Names that match nothing are ignored without a word.",
    "与适配器一起完整训练并保存的模块; 匹配不到的名称会被静默忽略。",
    failures=(
        Failure(
            WRAP,
            "TypeError",
            lambda v: bool(v["modules_to_save"]) and is_number(v["modules_to_save"]),
            "modules_to_save is no list",
            "write modules_to_save as a list of names",
            20,
            ">=0.16",
        ),
        Failure(
            WRAP,
            "TypeError",
            lambda v: is_number(v["modules_to_save"]),
            "modules_to_save is no list",
            "write modules_to_save as a list of names",
            20,
            "<0.16",
        ),
        Failure(
            WRAP,
            "TypeError",
            lambda v: is_unhashable(v["modules_to_save"]),
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
)

LAYERS_TO_TRANSFORM: Final = Facts(
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
)

LAYERS_PATTERN: Final = Facts(
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
                and is_number(v["layers_pattern"])
                and v["layers_to_transform"] is not None
                and v["layers_to_transform"] != []
            ),
            "layers_pattern is neither a list nor a string",
            "write layers_pattern as a string",
            61,
        ),
    ),
)

LAYER_REPLICATION: Final = Facts(
    "Ranges of layers to stack, so that a model grows while its weights stay shared.\n"
    "Only for models built like Llama, BERT or Falcon.",
    "要重复堆叠的层范围; 只适用于 Llama, BERT 或 Falcon 结构的模型。",
    since="0.10.0",
    failures=(
        Failure(
            WRAP,
            "TypeError",
            lambda v: bool(v["layer_replication"]) and is_number(v["layer_replication"]),
            "layer_replication is no list of ranges",
            "write layer_replication as a list of [start, end] pairs",
            50,
        ),
    ),
)

TARGET_PARAMETERS: Final = Facts(
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
            lambda v: bool(v["target_parameters"]) and is_number(v["target_parameters"]),
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
)

TRAINABLE_TOKEN_INDICES: Final = Facts(
    "Indices of single embedding rows that are trained beside the adapter.",
    "与适配器一起训练的个别词向量的下标。",
    since="0.15.0",
)

ENSURE_WEIGHT_TYING: Final = Facts(
    "Keeps tied weights tied when an embedding is trained beside the adapter.\nPEFT warns when the model ties none.",
    "训练词向量时保持权重绑定; 模型没有绑定权重时 PEFT 会警告。",
    since="0.18.0",
)
