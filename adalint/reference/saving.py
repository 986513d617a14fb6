"""What `save_pretrained` writes of an adapter, and what is loaded from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adalint.reference.adapter import Adapter
from adalint.reference.trajectory import Saved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adalint.reference.adapter import Array
    from adalint.schema import AdaLoraSettings


def save(adapter: Adapter, rank_pattern: Mapping[str, Any] | None) -> Saved:
    """Write what `save_pretrained` does; raises what it does for a pattern that no allocator made."""
    tensors = {name: tensor.copy() for name, tensor in named(adapter)}
    if rank_pattern is None:
        return Saved(tensors, None)
    pattern = {name.replace(".default", ""): stays for name, stays in rank_pattern.items()}
    for name, stays in pattern.items():
        module, rank = name.removesuffix(".lora_E"), sum(stays)
        # PEFT takes a tensor that has the rank already for trimmed.
        if rank != len(tensors[f"{module}.lora_E"]):
            chosen = np.asarray(stays, dtype=bool)
            for kind in ("lora_A", "lora_E"):
                tensors[f"{module}.{kind}"] = tensors[f"{module}.{kind}"][chosen]
            tensors[f"{module}.lora_B"] = tensors[f"{module}.lora_B"][:, chosen]
    return Saved(tensors, pattern)


def reload(saved: Saved, settings: AdaLoraSettings, weights: Sequence[Array]) -> Adapter:
    """Load a saved adapter as `PeftModel.from_pretrained` does.

    Raises IndexError when a pattern is not as long as `init_r`, RuntimeError when a tensor has another size.
    """
    ranks, scales = [], []
    for at in range(len(weights)):
        rank, divisor = settings.init_r, float(settings.init_r)
        pattern = None if saved.rank_pattern is None else saved.rank_pattern.get(f"{module_name(at)}.lora_E")
        if pattern is not None:
            if len(pattern) != settings.init_r:
                text = (
                    f"The shape of the mask [{len(pattern)}] at index 0 does not match the shape of the indexed tensor"
                )
                raise IndexError(f"{text} [{settings.init_r}, 1] at index 0")
            rank = sum(pattern)
            # With nothing left PEFT does not copy the old divisor, but then there is nothing to divide.
            divisor = divisor if rank else 0.0
        ranks.append(rank)
        scales.append(numerator(settings, rank) / (divisor + 1e-5))
    adapter = Adapter(weights, ranks, scales)
    fill(adapter, saved.tensors)
    return adapter


def fill(adapter: Adapter, tensors: Mapping[str, Array]) -> None:
    """Copy tensors into an adapter by their names; raises RuntimeError, as PyTorch does, when one has another size."""
    for name, target in named(adapter):
        if target.size != tensors[name].size:
            raise RuntimeError(
                f"Error(s) in loading state_dict: size mismatch for {name}: copying a param with shape "
                f"{list(tensors[name].shape)} from checkpoint, the shape in current model is {list(target.shape)}."
            )
        target[...] = tensors[name]


def named(adapter: Adapter) -> Iterator[tuple[str, Array]]:
    """Give views of all tensors in PEFT's shapes, by PEFT's names."""
    for at in range(len(adapter.ranks)):
        yield f"{module_name(at)}.lora_A", adapter.triplets.q[at]
        yield f"{module_name(at)}.lora_E", adapter.triplets.e[at][:, None]
        yield f"{module_name(at)}.lora_B", adapter.triplets.p[at]


def module_name(at: int) -> str:
    """Name a layer as PEFT would in a model that calls its list `layers`."""
    return f"layers.{at}"


def numerator(settings: AdaLoraSettings, rank: int) -> float:
    """Give what scaling divides: `lora_alpha`, or the rank itself where that is not positive."""
    return settings.lora_alpha if settings.lora_alpha > 0 else float(rank)
