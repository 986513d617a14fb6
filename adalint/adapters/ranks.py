"""The ranks that a saved adapter has kept: by the masks in its `rank_pattern`, and by the shapes of its tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    return {module_of(key): mask.count(True) for key, mask in pattern.items()}


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


def fits_exactly(entries: Mapping[str, Any], kept: Mapping[str, int]) -> bool:
    """Tell whether a header describes the three tensors of each module with a mask, of that rank, and nothing else.

    Then there are no `misfits`, and to know it takes a third of the time.
    """
    for path, rank in kept.items():
        name = f"{PREFIX}{path}.lora_"
        a, b, e = entries.get(f"{name}A"), entries.get(f"{name}B"), entries.get(f"{name}E")
        if a is None or b is None or e is None:
            return False
        if a["shape"][0] != rank or b["shape"][1] != rank or e["shape"][0] != rank:
            return False
    return len(entries) == len(_RANK_AXIS) * len(kept)


def misfits(shapes: Mapping[str, Sequence[int]], kept: Mapping[str, int], init_r: int) -> list[Misfit]:
    """Compare the shapes of tensors, by name, with the ranks that the masks keep; one without a mask has rank `init_r`.

    `lora_A` is `(rank, in)`, `lora_E` `(rank, 1)`, `lora_B` `(out, rank)`.
    """
    found = []
    for name, shape in shapes.items():
        path, _, end = name.rpartition(".")
        axis = _RANK_AXIS.get(end)
        if axis is not None and len(shape) == 2:
            wanted = kept.get(path.removeprefix(PREFIX), init_r)
            if shape[axis] != wanted:
                found.append(Misfit(name, shape[axis], wanted))
    return found
