"""How a file trains an AdaLoRA model, as far as its text tells: its loop, its places, what is done to the model.

A Training is neutral: it says what stands where. What of it is a mistake is the rulebook's affair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from adalint.plan import UNKNOWN_LOOP, Event, Loop
from adalint.values import UNKNOWN, Kleene

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.source import Span


@dataclass(frozen=True, slots=True)
class Handed:
    """Where a counter comes into a function that trains one epoch: behind its last parameter, and at its only call."""

    parameter: Span
    argument: Span


@dataclass(frozen=True, slots=True)
class Insertion:
    """What an allocator call would be made on in a loop that has none, and with which number, if there is one.

    `counter` is a variable that counts the optimizer steps of the run, directly below the optimizer's step, and `start`
    what it holds at the first of them. `after` covers the statement of that step, `boundary` is the condition that the
    step was made, where the statement is reached without one (accelerate). Of the outermost loop around, `loop` is the
    statement and `length` what its number of optimizer steps would be written as above it; None where it is not told.
    """

    owner: str
    counter: str
    start: int
    after: Span
    boundary: str | None = None
    loop: Span | None = None
    length: str | None = None
    is_new: bool = False
    """The file has no such counter yet: it is to be set above the loop, and raised below the call."""
    handed: Handed | None = None
    """The loop over epochs stands in another function than the step, and gives it the counter, an iterator."""
    outside: str | None = None
    """What the allocator's owner is called where that loop stands; None where it is the same."""


class Way(StrEnum):
    """Who runs the loop."""

    MANUAL = "manual"
    """The file's own loop: backward and step stand in it."""
    TRAINER = "trainer"
    """`Trainer(...).train()` of transformers or trl."""
    CALLBACK = "callback"
    """A TrainerCallback that calls the allocator; who trains with it stands elsewhere, or nowhere."""
    OVERRIDE = "override"
    """A method that a subclass of a Trainer or of a LightningModule overrides."""


class Counting(StrEnum):
    """What the number that the allocator is given counts."""

    STEPS = "steps"
    """Optimizer steps of the whole run."""
    MICRO_BATCHES = "micro-batches"
    """Backward passes, of which several make one optimizer step."""
    EPOCH = "epoch"
    """Iterations of one epoch: it starts anew with each."""
    NOTHING = "nothing"
    """It is the same number each time."""
    UNKNOWN = "unknown"


class GuardKind(StrEnum):
    """What a condition around the allocator's call asks."""

    RANK_PATTERN = "rank_pattern"
    """Whether `rank_pattern` is set already."""
    STEP = "step"
    """Something of the step number, which the optimizer's step does not ask."""
    FINITE = "finite"
    """Whether the gradients were finite: the scaler's scale, `step_was_skipped` and the like."""
    BOUNDARY = "boundary"
    """Whether an optimizer step was made: the end of an accumulation."""
    OTHER = "other"
    """A flag, a type, `hasattr`."""


@dataclass(frozen=True, slots=True)
class Place:
    """One event of an iteration: the call, and the statement that it stands in.

    `sure` is False where a condition around it is none that the optimizer's step or the allocator's call shares.
    """

    event: Event
    span: Span
    statement: Span
    sure: bool = True


@dataclass(frozen=True, slots=True)
class GuardPlace:
    """One condition around the allocator's call; `part` covers the operand of an `and` that asks it, else the test."""

    kind: GuardKind
    part: Span
    statement: Span
    """The whole `if`."""
    every: int = 1
    """It holds in one of so many rounds of the loop: `index % 5 == 0`."""


@dataclass(frozen=True, slots=True)
class Hook:
    """The method that an allocator call stands in: its name, the `def` line, the name in it, its class.

    `alone` says that the call is all that the method does. `framework` is `transformers`, `lightning` or `torch`.
    `after` says of a `training_step` that the call follows the backward pass. A function that runs with the optimizer's
    steps (torch) is told by its registration: `register_step_pre_hook`, the call, that name in it, the optimizer.
    """

    name: str
    line: Span
    word: Span
    class_name: str
    framework: str
    alone: bool = False
    after: bool = False
    order: tuple[Event, ...] = ()
    """What happens around the call with each step, where the reader tells it (Lightning)."""


@dataclass(frozen=True, slots=True)
class AllocatorCall:
    """A call of `update_and_allocate`, where it stands and what surrounds it.

    `owner` is what it is called on, without `.base_model` (`model`, `self.model`), `argument` the number that it is
    given. `swallowed` names the exception that a handler around it catches and drops. `wrapped` names the class
    (`DistributedDataParallel` …) that its owner is explicitly wrapped in.
    """

    span: Span
    statement: Span
    owner: str
    argument: Span | None = None
    counting: Counting = Counting.UNKNOWN
    guards: tuple[GuardPlace, ...] = ()
    hook: Hook | None = None
    swallowed: str | None = None
    swallower: Span | None = None
    wrapped: str | None = None

    def guarded_by(self, kind: GuardKind) -> GuardPlace | None:
        """Give the first condition of a kind around the call."""
        return next((guard for guard in self.guards if guard.kind is kind), None)


@dataclass(frozen=True, slots=True)
class Training:
    """One place where a model is trained, or where the allocator is called.

    `loop` is what the trace runs, UNKNOWN_LOOP where the text does not tell all of it. `places` are the events of one
    iteration in the order in which they happen, empty when something in it cannot be followed. `at` is the
    `optimizer.step()` or `trainer.train()` that finding ADA401 points at. `reached` says whether the allocator is
    called at all, UNKNOWN when something unseen may do it. `accumulation` is the number of backward passes for one
    optimizer step where it is literal, None where it is unknown. `per_micro_batch` says that the allocator is called
    after each of them; `micro_rounds` that a round of the loop is one backward pass, not all of a step. `fp16` says
    that gradients may overflow (GradScaler, `fp16=True`).
    """

    way: Way
    at: Span
    loop: Loop = UNKNOWN_LOOP
    places: tuple[Place, ...] = ()
    call: AllocatorCall | None = None
    reached: Kleene = UNKNOWN
    accumulation: int | None = 1
    accumulates: Kleene = False
    per_micro_batch: bool = False
    micro_rounds: bool = True
    fp16: Kleene = False
    insertion: Insertion | None = None
    callbacks: Span | None = None
    """The items of a Trainer's `callbacks=[…]`, or None when it has none."""
    built: Span | None = None
    """The call that makes the Trainer."""
    anchored: bool = True
    """Below the last step of a round the gradients of the model are still there; where several optimizers take turns,
    one of them may have cleared them."""
    loaded: Span | None = None
    """The call that loads the model from a saved adapter, to train it on."""


class UseKind(StrEnum):
    """What a file does to, or with, an AdaLoRA model or its configuration, besides training it."""

    CONFIG_REUSED = "config-reused"
    PLAIN_ADD_ADAPTER = "plain-add-adapter"
    DISCARDED_WRAP = "discarded-wrap"
    APPLIED_TWICE = "applied-twice"
    SECOND_ADAPTER = "second-adapter"
    ADAPTER_NAME = "adapter-name"
    PENALTY_BYPASSED = "penalty-bypassed"
    ACCUMULATION = "accumulation"
    RANK_READ = "rank-read"
    WEIGHTED_MERGE = "weighted-merge"
    RESUMED = "resumed"
    BEST_CHECKPOINT = "best-checkpoint"
    SAMPLES_COUNTED = "samples-counted"
    MICRO_BATCHES_COUNTED = "micro-batches-counted"
    SETTING_CHANGED = "setting-changed"
    HALF_PRECISION = "half-precision"
    LABELS_ON_INFERENCE = "labels-on-inference"


@dataclass(frozen=True, slots=True)
class Use:
    """One such use, where it stands; `found` is what the words of a finding may need."""

    kind: UseKind
    span: Span
    found: Mapping[str, Any] = field(default_factory=dict)
