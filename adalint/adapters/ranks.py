"""The ranks that a saved adapter has kept: by the masks in its `rank_pattern`, and by the shapes of its tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.adapters.header import Tensor

PREFIX: Final = "base_model.model."
"""What PEFT puts before the path of a module in the names of an adapter's tensors."""

MASKED: Final = ".lora_E"
"""What follows the path of a module in the keys of `rank_pattern`; the name of its singular values."""


_RANK_AXIS: Final = {"lora_A": 0, "lora_E": 0, "lora_B": 1}
_BOOLEANS: Final = frozenset({bool})


def module_of(key: str) -> str:
    """Give the path of a module from its key in `rank_pattern`, which PEFT from some releases writes with a prefix."""
    return key.removeprefix(PREFIX).removesuffix(MASKED)


def is_mask(mask: Any, init_r: Any) -> bool:
    """Tell whether an entry of `rank_pattern` is what PEFT loads: a list of `init_r` booleans."""
    return isinstance(mask, list) and len(mask) == init_r and _BOOLEANS.issuperset(map(type, mask))


def kept_by_pattern(pattern: Mapping[str, list[bool]]) -> dict[str, int]:
    """Count the ranks that well-formed masks keep, by the path of the module."""
    return {module_of(key): sum(mask) for key, mask in pattern.items()}


def kept_by_shape(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Read the ranks of all modules from the shapes of their singular values, `(rank, 1)`."""
    return {
        module_of(name): one.shape[0] for name, one in tensors.items() if name.endswith(MASKED) and len(one.shape) == 2
    }


@dataclass(frozen=True, slots=True)
class Misfit:
    """A tensor whose rank is not the one that the masks say: `name` as in its file, rank there, rank by the mask."""

    name: str
    there: int
    wanted: int


def misfits(tensors: Mapping[str, Tensor], kept: Mapping[str, int], init_r: int) -> list[Misfit]:
    """Compare the shapes of tensors with the ranks that the masks keep; a module without a mask has rank `init_r`.

    `lora_A` is `(rank, in)`, `lora_E` `(rank, 1)`, `lora_B` `(out, rank)`.
    """
    found = []
    for name, one in tensors.items():
        path, _, end = name.rpartition(".")
        axis = _RANK_AXIS.get(end)
        if axis is not None and len(one.shape) == 2:
            wanted = kept.get(path.removeprefix(PREFIX), init_r)
            if one.shape[axis] != wanted:
                found.append(Misfit(name, one.shape[axis], wanted))
    return found
