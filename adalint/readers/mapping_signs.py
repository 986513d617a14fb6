"""What a mapping of JSON or YAML says of itself: which method it chooses, if it is in force, if it is a record."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.tree import Mapping, Scalar, Sequence, content
from adalint.schema import FIELDS
from adalint.values import UNKNOWN, is_number

if TYPE_CHECKING:
    from adalint.readers.tree import Node

OWN_FIELDS: Final = frozenset(name for name, field in FIELDS.items() if field.facts.own) - {
    "beta1",
    "beta2",
    "rank_pattern",
}
"""Names that only AdaLoRA has; optimizers have betas, and LoRA a rank pattern."""

LORA_FIELDS: Final = frozenset(FIELDS) - OWN_FIELDS
NUMBERS: Final = frozenset(name for name, field in FIELDS.items() if field.numeric)

METHODS: Final = frozenset(
    [
        "lora",
        "qlora",
        "dora",
        "rslora",
        "lorafa",
        "loraplus",
        "pissa",
        "olora",
        "adalora",
        "ia3",
        "loha",
        "lokr",
        "oft",
        "boft",
        "vera",
        "vblora",
        "fourierft",
        "hra",
        "xlora",
        "poly",
        "ln",
        "lntuning",
        "prefix",
        "prefixtuning",
        "prompt",
        "prompttuning",
        "ptuning",
        "multitaskprompttuning",
        "adaptionprompt",
        "llamaadapter",
        "adapter",
        "bitfit",
        "bone",
        "miss",
        "c3a",
        "shira",
        "randlora",
        "trainabletokens",
        "galore",
        "lisa",
        "reft",
        "loreft",
        "qalora",
        "lora+",
    ]
)
WHOLE_MODEL: Final = frozenset({"full", "fullfinetuning", "fullft", "freeze", "frozen", "none", "linearprobe"})
DISCRIMINATOR: Final = re.compile(
    r"(?:type|kind|method|mode|strategy|variant|algorithm|approach|technique|adapter|peft|tuner|selected|name|use)"
    r"|(?:\w*_)?(?:method|tuner|variant)(?:_name)?"
    r"|(?:\w*_)?(?:peft|adapter|lora|tune|tuner|tuning|finetune|finetuning|train|training|ft|sft)"
    r"_(?:type|method|mode|name|strategy)",
    re.IGNORECASE,
)
ON: Final = re.compile(
    r"enabled?|active|is_active|is_enabled|use|with_lora"
    r"|(?:use|enable|with|apply)_(?:adalora|peft)|(?:adalora|peft)_enabled?",
    re.IGNORECASE,
)
OFF: Final = re.compile(r"disabled?|inactive|skip|is_disabled", re.IGNORECASE)
_FALSE_TEXTS: Final = frozenset({"false", "no", "off", "0", "none", ""})

RECORD_KEYS: Final = frozenset(
    [
        "_wandb",
        "wandb_version",
        "run_info",
        "train_info",
        "meta_info",
        "log_history",
        "best_params",
        "best_trial",
        "best_value",
        "best_config",
        "best_hyperparameters",
        "best_model_checkpoint",
        "trial_id",
        "trial_number",
        "datetime_complete",
    ]
)
SEARCH_PARENTS: Final = re.compile(
    r"search|\w*search_space|\w*param_space|space|sweeps?|grid\w*|\w*_grid|hyperparameter_search|hparam_search|"
    r"tune_config",
    re.IGNORECASE,
)
RECORD_PARENTS: Final = re.compile(
    r"best|best_\w+|trials?|results?|history|run_info|records?|leaderboard|properties|completed|"
    + SEARCH_PARENTS.pattern,
    re.IGNORECASE,
)
MEASURED: Final = re.compile(
    r"(?:(?:train|eval|val|valid|validation|test|dev|best|final|mean|avg)_)?"
    r"(?:loss|acc|accuracy|f1|bleu|rouge\w*|perplexity|ppl|auc|mcc|exact_match|em|runtime|score|samples_per_second)"
    r"|(?:train|training|total|wall|elapsed|run)_(?:time|seconds|runtime)\w*"
    r"|elapsed|duration_\w+|\w*peak_memory\w*|\w*max_memory\w*",
    re.IGNORECASE,
)
MEASUREMENTS: Final = re.compile(r"(?:\w+_)?(?:metrics|results?|scores?)", re.IGNORECASE)
FINISHED: Final = frozenset(
    {"completed", "complete", "finished", "success", "succeeded", "done", "failed", "pruned"}
    | {"crashed", "killed", "error", "errored", "canceled", "cancelled", "aborted", "timeout"}
)
_LABEL: Final = re.compile(r"(?!(?:none|null|nan|inf)$)[^\W\d_][^${}%<>]*", re.IGNORECASE)
FILLED_IN: Final = re.compile(r"\$\{|\{\{|\{%|\$\(|%\(\w+\)s")


def is_search_space(node: Mapping, numbers: frozenset[str] = NUMBERS) -> bool:
    """Tell whether numbers are given as ranges: `{min: 4, max: 16}`, `[8, 12]`, `choice(8, 12)`."""
    for name in numbers & names_of(node):
        value = content(node.fields[name].entry.value)
        if isinstance(value, Mapping | Sequence):
            return True
        if isinstance(value, Scalar) and isinstance(value.value, str) and re.match(r"[\w.]+\(.*,", value.value):
            return True
    return False


def is_description(node: Mapping, numbers: frozenset[str] = NUMBERS) -> bool:
    """Tell whether the numbers are words throughout: labels of a form, a list of types, a translation."""
    values = [node.fields[name].entry.value.value for name in numbers & names_of(node)]
    return bool(values) and all(isinstance(value, str) and _LABEL.fullmatch(value) is not None for value in values)


def is_record(node: Mapping) -> bool:
    """Tell whether a mapping tells what a run gave: measured numbers, or names that only logs have."""
    if RECORD_KEYS & names_of(node):
        return True
    for name, field in node.fields.items():
        if not isinstance(name, str):
            continue
        value = content(field.entry.value)
        if isinstance(value, Scalar) and isinstance(value.value, float) and MEASURED.fullmatch(name):
            return True
        if name in {"status", "state"} and isinstance(value, Scalar) and str(value.value).lower() in FINISHED:
            return True
        if MEASUREMENTS.fullmatch(name) and _holds_numbers(value):
            return True
    search = text_of(node, "method")
    return search in {"bayes", "grid", "random"} and "parameters" in node.fields


def _holds_numbers(node: Node | None) -> bool:
    if isinstance(node, Mapping):
        return any(is_number(field.entry.value.value) for field in node.fields.values())
    if isinstance(node, Sequence):
        return any(is_number(item.value) or isinstance(content(item), Mapping) for item in node.items)
    return False


def is_off(node: Mapping) -> bool:
    """Tell whether a switch in the mapping turns it off, or may do so."""
    for name, field in node.fields.items():
        if not isinstance(name, str):
            continue
        off = OFF.fullmatch(name)
        if off is None and ON.fullmatch(name) is None:
            continue
        value = field.entry.value.value
        if value is UNKNOWN or (isinstance(value, str) and FILLED_IN.search(value)):
            return True
        if isinstance(value, str):
            value = value.lower() not in _FALSE_TEXTS
        if isinstance(value, int | float) and bool(value) is (off is not None):
            return True
    return False


def chosen(node: Mapping) -> str | None:
    """Name the tuning method that a mapping's own discriminators choose: `adalora`, `other`, `whole model`, or None."""
    chosen: set[str] = set()
    for name, field in node.fields.items():
        value = field.entry.value.value
        if not isinstance(name, str) or not DISCRIMINATOR.fullmatch(name):
            continue
        if value is UNKNOWN and isinstance(content(field.entry.value), Scalar):
            chosen.add("other")
        if not isinstance(value, str):
            continue
        word = re.sub(r"[\s_-]", "", value).lower()
        if FILLED_IN.search(value) and name.lower() != "name":
            chosen.add("other")
        elif "adalora" in word:
            chosen.add("adalora")
        elif word in METHODS:
            chosen.add("other")
        elif word in WHOLE_MODEL:
            chosen.add("whole model")
    for method in ("whole model", "other", "adalora"):
        if method in chosen:
            return method
    return None


def names_of(node: Mapping) -> frozenset[str]:
    """Give the keys that are strings."""
    return frozenset(name for name in node.fields if isinstance(name, str))


def value_of(node: Mapping, name: str) -> Any:
    """Give the value of a key; None where it is not written."""
    field = node.fields.get(name)
    return None if field is None else field.entry.value.value


def text_of(node: Mapping, name: str) -> str | None:
    """Give the value of a key when it is a string."""
    value = value_of(node, name)
    return value if isinstance(value, str) else None
