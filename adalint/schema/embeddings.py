"""Which of the modules that a configuration targets are embeddings, which AdaLoRA cannot adapt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adalint.schema.conditions import names_in
from adalint.schema.facts import Undecided

if TYPE_CHECKING:
    from adalint.schema.facts import Values

EMBEDDINGS: Final = frozenset(
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


def embeddings_in(v: Values) -> list[str]:
    """List the entries of `target_modules` that name an embedding which is neither left out nor trained whole."""
    embeddings = named_embeddings(v)
    if not embeddings:
        return []
    if isinstance(v["exclude_modules"], str) and v["exclude_modules"]:
        raise Undecided
    left_out = [*names_in(v["exclude_modules"]), *names_in(v["modules_to_save"])]
    return [name for name in embeddings if name not in left_out]


def named_embeddings(v: Values) -> list[str]:
    """List the entries of `target_modules` that name an embedding, whatever else is said of it."""
    names = [name for name in names_in(v["target_modules"]) if isinstance(name, str)]
    return [name for name in names if name.split(".")[-1] in EMBEDDINGS]
