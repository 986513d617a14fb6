"""AdamW and SGD on one flat vector, operation by operation as in PyTorch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from adalint.reference.adapter import Array


@dataclass(slots=True)
class Moments:
    """What an optimizer remembers between steps; arrays are empty until the first one."""

    steps: int = 0
    first: Array = field(default_factory=lambda: np.zeros(0))
    second: Array = field(default_factory=lambda: np.zeros(0))

    def copy(self) -> Moments:
        """Copy the arrays too."""
        return Moments(self.steps, self.first.copy(), self.second.copy())


@dataclass(frozen=True, slots=True)
class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019); the defaults are PyTorch's."""

    lr: float = 1e-2
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 1e-2

    def step(self, numbers: Array, gradients: Array, moments: Moments) -> None:
        """Move `numbers` in place."""
        if not moments.steps:
            moments.first, moments.second = np.zeros_like(numbers), np.zeros_like(numbers)
        moments.steps += 1
        numbers *= 1 - self.lr * self.weight_decay
        moments.first += (gradients - moments.first) * (1 - self.beta1)
        moments.second *= self.beta2
        moments.second += gradients * gradients * (1 - self.beta2)
        divisor = np.sqrt(moments.second)
        divisor /= (1 - self.beta2**moments.steps) ** 0.5
        divisor += self.eps
        np.divide(moments.first, divisor, out=divisor)
        divisor *= self.lr / (1 - self.beta1**moments.steps)
        numbers -= divisor


@dataclass(frozen=True, slots=True)
class SGD:
    """Gradient descent with momentum, and weight decay added to the gradient."""

    lr: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0

    def step(self, numbers: Array, gradients: Array, moments: Moments) -> None:
        """Move `numbers` in place."""
        move = gradients + self.weight_decay * numbers if self.weight_decay else gradients
        if self.momentum:
            # The first step has no past to be weighed.
            moments.first = self.momentum * moments.first + move if moments.steps else move.copy()
            move = moments.first
        moments.steps += 1
        numbers -= self.lr * move
