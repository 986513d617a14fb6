"""Importance of triplets, the budget of a step, and which of them it leaves (PEFT's `RankAllocator`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from adalint.reference.adapter import Triplets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from adalint.reference.adapter import Adapter, Array
    from adalint.schema import AdaLoraSettings
    from adalint.values import Number


@dataclass(slots=True)
class Scores:
    """Averages of sensitivity and uncertainty for every number of the adapter, flat."""

    sensitivity: Array
    uncertainty: Array


class Allocator:
    """The state of an allocation, which starts with the rank of every module at `init_r`."""

    def __init__(self, settings: AdaLoraSettings, modules: int) -> None:
        self.settings = settings
        self.initial = settings.init_r * modules
        # PEFT computes both once: what the configuration becomes later does not change them.
        self.target: Number = settings.target_r * modules
        self.scores: Scores | None = None

    def update(self, adapter: Adapter, gradients: Array | None) -> None:
        """Average sensitivity |w · dw| and its uncertainty (AdaLoRA equations 8-10).

        Raises TypeError, as PEFT does, when there are no gradients.
        """
        if gradients is None:
            raise TypeError("unsupported operand type(s) for *: 'Parameter' and 'NoneType'")
        beta1, beta2 = self.settings.beta1, self.settings.beta2
        if self.scores is None:
            self.scores = Scores(np.zeros_like(adapter.flat), np.zeros_like(adapter.flat))
        scores = self.scores
        sensitivity = np.abs(adapter.flat * gradients)
        scores.sensitivity = beta1 * scores.sensitivity + (1 - beta1) * sensitivity
        uncertainty = np.abs(sensitivity - scores.sensitivity)
        scores.uncertainty = beta2 * scores.uncertainty + (1 - beta2) * uncertainty

    def reset(self) -> None:
        """Forget all scores, as PEFT does at `total_step - tfinal`."""
        self.scores = None

    def budget(self, step: int) -> tuple[Number, bool]:
        """Compute the ranks that a step leaves over all modules, and whether it masks (AdaLoRA equation 12).

        Raises ZeroDivisionError for a `deltaT` of 0, and what Python raises when it cannot count with a field.
        """
        s: AdaLoraSettings = self.settings
        end = _length(s.total_step) - s.tfinal
        if step <= s.tinit:
            return self.initial, False
        if step > end:
            return self.target, True
        remaining = 1 - (step - s.tinit) / (end - s.tinit)
        left = int((self.initial - self.target) * remaining**3 + self.target)
        return left, step % s.deltaT == 0

    def importance(self, adapter: Adapter) -> Array:
        """Score every triplet: that of its e, plus the means over its row of Q and its column of P.

        Raises KeyError, as PEFT does, when nothing was scored since the last reset.
        """
        if self.scores is None:
            raise KeyError("...lora_A.default")
        product = Triplets.over(self.scores.sensitivity * self.scores.uncertainty, adapter.ranks, adapter.width)
        means = [p.mean(axis=0) + q.mean(axis=1) for p, q in zip(product.p, product.q, strict=True)]
        return np.concatenate([e + mean for e, mean in zip(product.e, means, strict=True)])

    def choose(self, adapter: Adapter, left: Number) -> NDArray[np.bool_]:
        """Tell which triplets of all modules stay, (sum of ranks,): those above one threshold for all of them.

        What ties with the threshold goes, so that equal scores leave fewer than `left`; beside NaN everything stays.
        """
        importance = self.importance(adapter)
        return ~(importance <= kth_smallest(importance, self.initial - left))


def kth_smallest(numbers: Array, k: Number) -> float:
    """Find the k-th smallest number, counting from 1, NaN being the largest (`torch.kthvalue`).

    Raises IndexError when there are no numbers, and RuntimeError when k is below 1 or above their count.
    """
    if not numbers.size:
        raise IndexError("kthvalue(): Expected reduction dim 0 to have non-zero size.")
    if not 1 <= k <= numbers.size:
        raise RuntimeError("kthvalue(): selected number k out of range for dimension 0")
    return float(np.sort(numbers)[int(k) - 1])


def mask(adapter: Adapter, stays: NDArray[np.bool_]) -> None:
    """Set the e of the triplets that go to zero; P and Q stay as they are, so an optimizer may revive them."""
    adapter.values[~stays] = 0.0


def mask_modules(adapter: Adapter, patterns: Sequence[Sequence[bool]]) -> None:
    """Mask every module by a pattern of its own; raises RuntimeError, as PEFT does, when the lengths differ."""
    for e, pattern in zip(adapter.triplets.e, patterns, strict=True):
        if len(pattern) != len(e):
            text = f"The size of tensor a ({len(e)}) must match the size of tensor b ({len(pattern)})"
            raise RuntimeError(f"{text} at non-singleton dimension 0")
        e[~np.asarray(pattern, dtype=bool)] = 0.0


def _length(total_step: Number | None) -> Number:
    if total_step is None:
        raise ValueError("AdaLoRA does not work when `total_step` is None, supply a value > 0.")
    return total_step
