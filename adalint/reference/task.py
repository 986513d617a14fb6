"""A task that a stack of adapted layers can learn: to behave like a teacher that differs from it by low ranks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from adalint.reference.optimizers import AdamW

if TYPE_CHECKING:
    from adalint.reference.adapter import Array
    from adalint.reference.optimizers import SGD


@dataclass(frozen=True, slots=True)
class Task:
    """What is trained on, and with what; everything follows from `seed`.

    `batches` of `batch` rows take turns, one for each micro-batch; every backward pass averages over `accumulation`
    micro-batches. `noise` is the deviation of what no adapter can learn. `warm` starts from values in e that are not
    zero, as if training had begun before: at PEFT's start every score is zero until the first optimizer step, and a
    mask made of such scores takes everything.
    """

    width: int = 8
    batch: int = 16
    batches: int = 4
    accumulation: int = 1
    teacher_rank: int = 2
    noise: float = 0.1
    optimizer: AdamW | SGD = field(default_factory=AdamW)
    seed: int = 0
    warm: bool = False


@dataclass(frozen=True, slots=True)
class Lesson:
    """The frozen weights (width, width) of every layer, and pairs of inputs and wanted outputs (batch, width)."""

    weights: tuple[Array, ...]
    batches: tuple[tuple[Array, Array], ...]


@lru_cache(maxsize=8)
def prepare(task: Task, modules: int) -> Lesson:
    """Draw frozen weights, and what a teacher of the same shape makes of random inputs."""
    dice = np.random.default_rng((task.seed, modules))
    shape = (task.width, task.width)
    # Orthogonal ones keep the size of what goes through, however many there are.
    weights = tuple(np.linalg.qr(dice.normal(size=shape))[0] for _ in range(modules))
    teachers = []
    for layer, weight in enumerate(weights):
        # Some layers have more to learn than others, so that ranks go where they are needed.
        rank = 1 + layer % task.teacher_rank
        left, right = dice.normal(size=(task.width, rank)), dice.normal(size=(rank, task.width))
        teachers.append(weight + left @ right * (0.5 / task.width / modules**0.5))
    batches = []
    for _ in range(task.batches):
        inputs = dice.normal(size=(task.batch, task.width))
        hidden = inputs
        for teacher in teachers:
            hidden = hidden @ teacher.T
        batches.append((inputs, hidden + dice.normal(0.0, task.noise, hidden.shape)))
    return Lesson(weights, tuple(batches))
