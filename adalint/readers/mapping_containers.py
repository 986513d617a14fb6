"""Mappings of a project's own that choose AdaLoRA by a word, with PEFT's names beside it.

Of `{method: adalora, init_r: 8}` nobody knows what the code behind it adds, converts or leaves out: nothing is known of
what is not written, and of what is written only what no such code could mean otherwise, for -1 may stand for "to be
computed" and 0.1 for a share of the run.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.mapping_signs import (
    DISCRIMINATOR,
    METHODS,
    NUMBERS,
    chosen,
    is_description,
    is_search_space,
    names_of,
)
from adalint.readers.tree import Mapping, Scalar, Sequence, content
from adalint.values import is_number

if TYPE_CHECKING:
    from adalint.readers.tree import Node

BLOCK: Final = re.compile(
    r"(?:peft_)?adalora(?:_(?:specific_)?(?:config|cfg|args|arguments|params|parameters|kwargs|options|settings))?",
    re.IGNORECASE,
)
"""Keys under which PEFT's names stand for AdaLoRA."""

_SIGNS: Final = frozenset({"init_r", "target_r", "tinit", "tfinal", "orth_reg_weight"})
"""Fields that nobody else has beside a method of that name; physics has its `deltaT`, and all have a `total_step`."""

_COUNTS: Final = frozenset({"init_r", "target_r", "tinit", "tfinal", "deltaT", "total_step"})
_SHARES: Final = frozenset({"orth_reg_weight", "lora_dropout"})
SETTINGS: Final = _COUNTS | _SHARES
"""What is read of such a mapping: betas may be those of the optimizer, and a rank that of another method."""

_WEAK: Final = frozenset({"kind", "name", "mode", "use", "selected"})
"""Words that registries and requests have, too."""

_SWITCH: Final = re.compile(r"(?:use|enable|with|apply)_adalora|adalora_enabled?", re.IGNORECASE)
_OWN_WORDS: Final = frozenset(
    ["prune_every", "ema_alpha", "init_rank", "target_rank", "mask_interval", "init_warmup", "final_warmup"]
)
"""What implementations of their own call it; what they do with PEFT's names beside is not known."""

_OF_TUNING: Final = re.compile(
    r"(?:\w*_)?(?:peft|adapter|lora|tuner|tuning|finetune|finetuning|ft|sft)(?:_(?:type|method|mode|name|strategy))?",
    re.IGNORECASE,
)
_SAID_BY: Final = re.compile(r"type|kind|method|name|mode|strategy", re.IGNORECASE)


def chooses_adalora(node: Mapping) -> bool:
    """Tell whether a mapping says in one word that AdaLoRA is its method, or turns it on."""
    for name, field in node.fields.items():
        value = content(field.entry.value)
        if not isinstance(name, str) or not isinstance(value, Scalar):
            continue
        word = name.rpartition(".")[2]  # `peft.method` of a flat file
        is_choice = DISCRIMINATOR.fullmatch(word) is not None and word.lower() not in _WEAK
        if is_choice and isinstance(value.value, str) and _word(value.value) == "adalora":
            return True
        if _SWITCH.fullmatch(name) and value.value is True:
            return True
    return False


def is_container(node: Mapping, key: str | None, *, chosen_around: bool) -> bool:
    """Tell whether a mapping holds PEFT's names for AdaLoRA, chosen by itself or by one around it."""
    names = names_of(node)
    own = chooses_adalora(node)
    is_ludwigs = (key or "").lower() == "adapter" and not any(
        DISCRIMINATOR.fullmatch(name) for name in names - {"type"}
    )
    if any(name.lower().startswith("adalora_") and not _SWITCH.fullmatch(name) for name in names):
        return False
    if is_ludwigs or names & _OWN_WORDS or is_search_space(node) or is_description(node, NUMBERS):
        return False
    return len(names & _SIGNS) >= (1 if own else 2) and (own or chosen_around)


def is_of_another(key: str | None) -> bool:
    """Tell whether what stands under a key belongs to another method; many call their one block `lora` or `adapter`."""
    return key is not None and _word(key) in METHODS - {"adalora", "lora", "adapter"}


def is_sure(name: str, value: Any) -> bool:
    """Tell whether a value can only mean what PEFT makes of it."""
    if name in _COUNTS:
        least = 1 if name == "total_step" else 0
        return isinstance(value, int) and not isinstance(value, bool) and value >= least
    return is_number(value)


@functools.lru_cache(maxsize=1)  # every block of a document asks
def chooses_another_elsewhere(document: Node) -> bool:
    """Tell whether a document says somewhere that it tunes by another method, and nowhere that it does so by AdaLoRA.

    What a method says in its own block is no choice.
    """
    found: set[str] = set()
    seen: set[tuple[str, Node | None]] = set()
    stack: list[tuple[str, Node]] = [("", document)]
    while stack:
        key, outer = stack.pop()
        node = content(outer)
        if (key, node) in seen:
            continue
        seen.add((key, node))
        if isinstance(node, Sequence):
            stack += [(key, item) for item in node.items]
        elif isinstance(node, Mapping) and _word(key) not in METHODS - {"adapter"}:
            for name, field in node.fields.items():
                if not isinstance(name, str):
                    continue
                value = content(field.entry.value)
                says = _OF_TUNING.fullmatch(name) or (_SAID_BY.fullmatch(name) and _OF_TUNING.fullmatch(key))
                if not isinstance(value, Scalar):
                    stack.append((name, field.entry.value))
                elif says and isinstance(value.value, str):
                    found.add(_word(value.value))
    return bool(found & (METHODS - {"adalora", "adapter"})) and not any("adalora" in word for word in found)


def is_chosen_around(node: Mapping, *, around: bool) -> bool:
    """Tell whether what stands in a mapping is chosen to be AdaLoRA, by it or by what is around it."""
    return chooses_adalora(node) or (around and chosen(node) in {None, "adalora"})


def _word(text: str) -> str:
    return re.sub(r"[\s_-]", "", text).lower()
