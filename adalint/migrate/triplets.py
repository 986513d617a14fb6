"""The tensors of an AdaLoRA adapter, by module: A, B and E as their headers describe them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.adapters.weights import State, weights_in
from adalint.migrate import MigrationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.adapters.header import Tensor
    from adalint.adapters.weights import Weights
    from adalint.migrate.adalora_config import AdaLora

PREFIX: Final = "base_model.model."
"""How PEFT begins the names of all tensors of an adapter."""

FLOATS: Final = frozenset({"F16", "BF16", "F32", "F64"})
_PARTS: Final = ("lora_A", "lora_B", "lora_E")


@dataclass(frozen=True, slots=True)
class Triplet:
    """The tensors of one module: A (rank, in), B (out, rank) and E (rank, 1)."""

    a: Tensor
    b: Tensor
    e: Tensor

    @property
    def rank(self) -> int:
        """How many ranks are kept."""
        return self.a.shape[0]


def weights_of(folder: str) -> Weights:
    """Read the headers of the weights in a folder.

    Raises:
        MigrationError: there are none that can be read.
    """
    weights = weights_in(folder)
    if weights.state is State.PICKLE:
        remedy = "load the adapter and save it once with save_pretrained(…, safe_serialization=True)"
        raise MigrationError(f"{weights.problem}; {remedy}")
    if weights.state is not State.READ:
        raise MigrationError(f"{weights.problem}")
    return weights


def triplets_in(weights: Weights, source: AdaLora) -> tuple[dict[str, Triplet], dict[str, Tensor]]:
    """Give the triplets by the path of their module, and the tensors that are no part of one by their name.

    Raises:
        MigrationError: a tensor is missing, unknown, or not as the configuration says.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    others: dict[str, Tensor] = {}
    for name, tensor in weights.tensors.items():
        path, _, part = name.rpartition(".")
        if not name.startswith(PREFIX):
            raise MigrationError(f"{weights.files[name]}: {name} does not begin with {PREFIX}, as PEFT's names do")
        if part in _PARTS:
            parts.setdefault(path.removeprefix(PREFIX), {})[part] = tensor
        elif any(piece.startswith("lora_") for piece in name.split(".")[-3:]):
            raise MigrationError(f"{weights.files[name]}: {name} is no tensor of AdaLoRA's")
        elif part != "ranknum":  # init_r, which PEFT does not read
            others[name] = tensor
    if not parts:
        raise MigrationError(f"{_files(weights)}: there is no tensor of AdaLoRA's in it")
    unnamed = next((path for path in source.kept if path not in parts), None)
    if unnamed is not None:
        raise MigrationError(f"rank_pattern names {unnamed}, of which {_files(weights)} holds nothing")
    return {path: _triplet(path, found, source) for path, found in sorted(parts.items())}, others


def _triplet(path: str, found: Mapping[str, Tensor], source: AdaLora) -> Triplet:
    missing = [part for part in _PARTS if part not in found]
    if missing:
        raise MigrationError(f"{path}: {' and '.join(missing)} is missing among the weights")
    triplet = Triplet(*(found[part] for part in _PARTS))
    for part, tensor in found.items():
        if tensor.dtype not in FLOATS:
            raise MigrationError(
                f"{path}: {part} is of type {tensor.dtype}, where AdaLoRA has {', '.join(sorted(FLOATS))}"
            )
    rank = source.kept.get(path, source.init_r)
    shape_a, shape_b = triplet.a.shape, triplet.b.shape
    wanted = {"lora_A": (rank, *shape_a[1:]), "lora_B": (*shape_b[:1], rank), "lora_E": (rank, 1)}
    for part, shape in wanted.items():
        if found[part].shape != shape or len(shape) != 2:
            where = "rank_pattern keeps" if path in source.kept else "init_r says"
            raise MigrationError(f"{path}: {part} has the shape {list(found[part].shape)}, but {where} {rank} ranks")
    return triplet


def _files(weights: Weights) -> str:
    return ", ".join(sorted(set(weights.files.values()))) or "the file of the weights"
