"""What came of a run on the reference adapter."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from adalint.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.reference.adapter import Array
    from adalint.reference.optimizers import Moments
    from adalint.schema import Stage
    from adalint.values import Number


class Source(StrEnum):
    """Where an answer comes from."""

    RUN = "run"
    DIVIDED = "divided"
    """From a run with every length of the plan divided by one factor, which ends as the whole one, says the trace."""
    TRACE = "trace"
    """From the trace alone: the run is too long, and no shorter one ends alike; or the adapter is too large."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception as PEFT raises it: `step` is the value of the counter, `call` and `optimizer_step` count from 0.

    They are None, and `stage` is set, when it is raised before training starts.
    """

    exception: str
    message: str
    step: int | None = None
    call: int | None = None
    optimizer_step: int | None = None
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """One call of `update_and_allocate` that returned.

    `budget` is the number of ranks that the schedule leaves over all modules at `step`; `mask` tells for each module
    which triplets stay, None when the call left all as it was; `live` counts the ranks not masked in memory after it.
    """

    step: int
    optimizer_step: int
    budget: Number
    mask: tuple[tuple[bool, ...], ...] | None
    live: int


@dataclass(frozen=True, slots=True)
class Saved:
    """What `save_pretrained` writes: tensors trimmed to `rank_pattern`, by PEFT's names without prefix and adapter."""

    tensors: Mapping[str, Array]
    rank_pattern: Mapping[str, Any] | None

    @property
    def ranks(self) -> tuple[int, ...]:
        """Count the ranks of each module."""
        return tuple(len(tensor) for name, tensor in self.tensors.items() if name.endswith("lora_E"))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a Trainer resumes from: the adapter, the optimizer, and the number of optimizer steps done.

    Scores are not part of it, as they are not in PEFT.
    """

    saved: Saved
    moments: Moments
    optimizer_steps: int


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A run: one loss for each backward pass (penalty included), every call, and what is left in memory and on disk.

    `live` and `kept` hold the ranks of each module in memory and in `rank_pattern` (None while it is null). `tensors`
    are those in memory. `saved` is None when saving raised, `reloaded` the loss of the saved adapter loaded anew on all
    batches, without penalty, None when loading raised; `final` is that in memory. `unsaved` is what was raised.
    """

    initial: int
    target: Number
    scale: float = 0.0
    parameters: int = 0
    losses: tuple[float, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    raised: Raised | None = None
    first_mask: int | None = None
    finalised: bool = False
    live: tuple[int, ...] = ()
    kept: tuple[int, ...] | None = None
    tensors: Mapping[str, Array] = field(default_factory=dict)
    final: float | None = None
    saved: Saved | None = None
    reloaded: float | None = None
    unsaved: Raised | None = None
    checkpoint: Checkpoint | None = None
    source: Source = Source.RUN
    divided_by: int = 1
    traced: Trace | None = None
    """What the trace says of the whole run, where it was asked because that is too long or too large."""

    def verdict(self) -> Trace:
        """Say what a trace would say; of a run too long that is the trace of the whole one."""
        if self.traced is not None:
            return self.traced
        raised = self.raised
        return Trace(
            exception=raised.exception if raised else None,
            message=raised.message if raised else None,
            failing_step=raised.step if raised else None,
            failing_call=raised.call if raised else None,
            failing_optimizer_step=raised.optimizer_step if raised else None,
            first_mask=self.first_mask,
            calls=len(self.allocations),
            live=sum(self.live),
            kept=None if self.kept is None else sum(self.kept),
            initial=self.initial,
            target=self.target,
            finalised=self.finalised,
        )
