"""Running a Plan: the events of a training loop on the reference adapter, the allocator as PEFT calls it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adalint.plan import Event
from adalint.reference.adapter import Adapter
from adalint.reference.allocator import Allocator, mask, mask_modules
from adalint.reference.events import happenings
from adalint.reference.optimizers import Moments
from adalint.reference.saving import fill, module_name, named, numerator, reload, save
from adalint.reference.shorten import LONGEST, length, shorten
from adalint.reference.task import Task, prepare
from adalint.reference.trajectory import Allocation, Checkpoint, Raised, Saved, Source, Trajectory
from adalint.schema import AdaLoraSettings, Stage, certain_failures, defaults
from adalint.trace import MOST_CALLS, Undetermined, trace
from adalint.values import Literal

if TYPE_CHECKING:
    from adalint.plan import Loop, Plan
    from adalint.reference.adapter import Array
    from adalint.values import Number

BEFORE_TRAINING: Final = (Stage.CONSTRUCTION, Stage.WRAP, Stage.FORWARD)
MOST_NUMBERS: Final = 2**24
"""How many numbers the triplets, or the products that the penalty makes of them, may have."""

SMALL: Final = 0.02
"""The deviation of P and Q at the start (PEFT's `reset_lora_parameters`)."""


def run(
    plan: Plan,
    task: Task | None = None,
    *,
    strict: bool = False,
    begin: Saved | Checkpoint | None = None,
    longest: int = LONGEST,
) -> Trajectory:
    """Train as a plan says and tell what came of it.

    What PEFT raises ends the run and stands in the Trajectory. `strict` asks the schema first instead, which raises
    `pydantic.ValidationError` for what PEFT would reject late and warns of `r`, and applies the penalty whatever
    `task_type` is; without it, PEFT's mistakes are made too. `begin` continues a saved adapter as
    `PeftModel.from_pretrained(..., is_trainable=True)` does, or resumes a checkpoint as a Trainer does. A run of more
    than `longest` optimizer steps is divided or traced, an adapter that would fill the memory traced, see
    `Trajectory.source`.

    Raises Undetermined when the plan leaves open what the schedule depends on, or has a loop that cannot be run.
    """
    task = task or Task()
    if plan.unknowns() or plan.modules is None:
        raise Undetermined(plan.unknowns())
    if plan.modules < 1 or not _can_run(plan.loop):
        raise Undetermined(frozenset({"modules" if plan.modules < 1 else "loop"}))
    values = settings_of(plan)
    if strict:
        settings = AdaLoraSettings.model_validate(dict.fromkeys(plan.strangers) | values)
        if settings.total_step is None:
            raise ValueError("total_step is not given: set it to the number of optimizer steps")
    else:
        settings = AdaLoraSettings.model_construct(**values)
        raised = _raised_before_training(settings, plan)
        if raised:
            return Trajectory(0, 0, raised=raised)
    fits = settings.init_r * plan.modules * max(settings.init_r, 2 * task.width + 1) <= MOST_NUMBERS
    if length(plan) <= longest and fits:
        return _train(plan, settings, task, begin, penalised=strict or settings.task_type is not None)
    if fits and begin is None and (shorter := shorten(plan, longest)):
        divided = run(shorter[0], task, strict=strict, longest=longest)
        return replace(divided, source=Source.DIVIDED, divided_by=shorter[1], traced=trace(plan))
    if begin is not None:
        # A trace knows nothing of what came before.
        raise Undetermined(frozenset({"begin"}))
    whole = trace(plan)
    return Trajectory(whole.initial, whole.target, source=Source.TRACE, traced=whole)


def _can_run(loop: Loop) -> bool:
    period = loop.counter.period
    return loop.guard.every != 0 and (period is None or period > 0) and loop.calls <= MOST_CALLS


def settings_of(plan: Plan) -> dict[str, Any]:
    """Give the values of a plan as keyword arguments; fields that are written as their default count as left out.

    A field beside the schedule of which nothing is known has its default.
    """
    usual = defaults()
    given = {name: plan.given.get(name) is True for name in plan.values}
    return {
        name: expr.value
        for name, expr in plan.values.items()
        if isinstance(expr, Literal) and (given[name] or expr.value != usual.get(name))
    }


def _raised_before_training(settings: AdaLoraSettings, plan: Plan) -> Raised | None:
    for name in plan.strangers:
        text = f"AdaLoraConfig.__init__() got an unexpected keyword argument '{name}'"
        return Raised("TypeError", text, stage=Stage.CONSTRUCTION)
    values = {name: getattr(settings, name) for name in AdaLoraSettings.model_fields}
    for _, failure in certain_failures(values, plan.release):
        if failure.stage in BEFORE_TRAINING:
            return Raised(failure.exception, failure.message, stage=failure.stage)
    return None


class Training:
    """A run in progress: the adapter, its allocator and its optimizer, and what the loop has done to them."""

    def __init__(self, settings: AdaLoraSettings, task: Task, modules: int, *, penalised: bool = True) -> None:
        self.settings = settings
        self.task = task
        self.lesson = prepare(task, modules)
        self.penalty = float(settings.orth_reg_weight) if penalised else 0.0
        scale = numerator(settings, settings.init_r) / (settings.init_r + 1e-5)
        self.adapter = Adapter(self.lesson.weights, [settings.init_r] * modules, [scale] * modules)
        self.allocator = Allocator(settings, modules)
        self.moments = Moments()
        self.gradients: Array | None = None
        self.rank_pattern: dict[str, Any] | None = settings.rank_pattern
        self.micro_batches = 0
        self.optimizer_step = 0
        self.losses: list[float] = []
        self.allocations: list[Allocation] = []
        self.first_mask: int | None = None
        self.finalised = False
        self._dice = np.random.default_rng((task.seed, modules, 1))
        self._masked = np.zeros(len(self.adapter.values), dtype=bool)
        self._initialise()

    def _initialise(self) -> None:
        small = bool(self.settings.init_lora_weights)
        for q, p in zip(self.adapter.triplets.q, self.adapter.triplets.p, strict=True):
            q[...] = self._dice.normal(0.0, SMALL if small else 1.0, q.shape)
            p[...] = self._dice.normal(0.0, SMALL if small else 1.0, p.shape)
        if not small:
            self.adapter.values[...] = self._dice.normal(size=self.adapter.values.shape)
        elif self.task.warm:
            self.adapter.values[...] = self._dice.uniform(0.5, 1.5, self.adapter.values.shape)

    def begin(self, begin: Saved | Checkpoint) -> None:
        """Put what was saved in the place of the fresh adapter; raises what `reload` does."""
        if isinstance(begin, Checkpoint):
            # A Trainer has wrapped the model anew: full ranks, no pattern, no scores.
            fill(self.adapter, begin.saved.tensors)
            self.moments = begin.moments.copy()
            self.optimizer_step = begin.optimizer_steps
            self.micro_batches = begin.optimizer_steps * self.task.accumulation
            return
        # The allocator has counted its ranks before they are trimmed, and PEFT does not count again.
        self.adapter = reload(begin, self.settings, self.lesson.weights)
        self._masked = np.zeros(len(self.adapter.values), dtype=bool)
        if begin.rank_pattern is not None:
            self.rank_pattern = dict(begin.rank_pattern)

    def undergo(self, event: Event) -> None:
        """Let anything but a call happen."""
        match event:
            case Event.BACKWARD:
                self._backward()
            case Event.STEP:
                if self.gradients is not None:
                    self.task.optimizer.step(self.adapter.flat, self.gradients, self.moments)
            case Event.ZERO_GRAD:
                self.gradients = None
            case Event.ZERO_FILL:
                self.gradients = np.zeros_like(self.adapter.flat)

    def _backward(self) -> None:
        if self.gradients is None:
            self.gradients = np.zeros_like(self.adapter.flat)
        share = 1 / self.task.accumulation
        total = 0.0
        for _ in range(self.task.accumulation):
            inputs, wanted = self.lesson.batches[self.micro_batches % len(self.lesson.batches)]
            self.micro_batches += 1
            loss = self.adapter.backward(
                inputs, wanted, self.gradients, penalty=self.penalty, share=share, dropped=self._dropped(inputs)
            )
            total += loss * share
        self.losses.append(total)

    def _dropped(self, inputs: Array) -> list[Array] | None:
        chance = self.settings.lora_dropout
        if chance <= 0:
            return None
        stays = [self._dice.random(inputs.shape) >= chance for _ in self.adapter.weights]
        return [kept / (1 - chance) if chance < 1 else np.zeros(inputs.shape) for kept in stays]

    def allocate(self, step: int) -> None:
        """Call `AdaLoraModel.update_and_allocate`; raises what it does."""
        end = self.settings.total_step - self.settings.tfinal  # type: ignore[operator]
        stays: tuple[tuple[bool, ...], ...] | None = None
        budget: Number = self.allocator.target
        if step < end or step == end:
            final = step == end
            if not final:
                self.allocator.update(self.adapter, self.gradients)
            budget, due = self.allocator.budget(step)
            if due or final:
                stays = self._mask(budget)
                self.first_mask = step if self.first_mask is None else self.first_mask
            if final:
                self.finalised = True
                self.allocator.reset()
        elif step > end:
            stays = self._mask_again()
        self.allocations.append(Allocation(step, self.optimizer_step, budget, stays, sum(self.live())))

    def _mask(self, budget: Number) -> tuple[tuple[bool, ...], ...]:
        stays = self.allocator.choose(self.adapter, budget)
        mask(self.adapter, stays)
        self._masked |= ~stays
        patterns = [part.tolist() for part in self.adapter.split(stays)]
        self.rank_pattern = {f"{module_name(at)}.lora_E.default": pattern for at, pattern in enumerate(patterns)}
        return tuple(tuple(pattern) for pattern in patterns)

    def _mask_again(self) -> tuple[tuple[bool, ...], ...]:
        pattern: Any = self.rank_pattern
        # As in PEFT, the first key tells for all; None, a list or an empty one fail as they do there.
        first = next(iter(pattern.keys()))
        ending = ".default" if "default" in first else ""
        patterns = [pattern[f"{module_name(at)}.lora_E{ending}"] for at in range(len(self.adapter.ranks))]
        mask_modules(self.adapter, patterns)
        self._masked |= ~np.concatenate([np.asarray(part, dtype=bool) for part in patterns])
        return tuple(tuple(part) for part in patterns)

    def live(self) -> tuple[int, ...]:
        """Count the ranks of each module that no mask keeps at zero."""
        shown = ~(self._masked & (self.adapter.values == 0.0))
        return tuple(int(part.sum()) for part in self.adapter.split(shown))

    def kept(self) -> tuple[int, ...] | None:
        """Count the ranks of each module in `rank_pattern`, None while it is null or not made by an allocator."""
        pattern: Any = self.rank_pattern
        if not isinstance(pattern, dict) or not all(isinstance(part, list) for part in pattern.values()):
            return None
        return tuple(sum(part) for part in pattern.values()) or None


def _train(
    plan: Plan, settings: AdaLoraSettings, task: Task, begin: Saved | Checkpoint | None, *, penalised: bool
) -> Trajectory:
    modules = plan.modules or 0
    with np.errstate(all="ignore"):
        training = Training(settings, task, modules, penalised=penalised)
        raised = None
        try:
            if begin is not None:
                training.begin(begin)
        except (IndexError, RuntimeError) as error:
            raised = Raised(type(error).__name__, str(error), optimizer_step=training.optimizer_step)
        else:
            raised = _loop(training, plan.loop, length(plan))
        return _result(training, raised)


def _loop(training: Training, loop: Loop, steps: int) -> Raised | None:
    left = range(training.optimizer_step, steps)
    for optimizer_step, happening in happenings(loop, left, lambda: training.rank_pattern):
        training.optimizer_step = optimizer_step
        if isinstance(happening, Event):
            training.undergo(happening)
            continue
        try:
            training.allocate(happening)
        except Exception as error:  # noqa: BLE001 - what the user of PEFT would see, whatever it is
            calls = len(training.allocations)
            return Raised(type(error).__name__, str(error), happening, calls, optimizer_step)
    training.optimizer_step = max(training.optimizer_step, steps)
    return None


def _result(training: Training, raised: Raised | None) -> Trajectory:
    adapter, lesson = training.adapter, training.lesson
    saved, reloaded, unsaved = None, None, None
    try:
        saved = save(training.adapter, training.rank_pattern)
        reloaded = _loss(reload(saved, training.settings, lesson.weights), training)
    except Exception as error:  # noqa: BLE001 - a pattern of the user's may be anything
        unsaved = Raised(type(error).__name__, str(error), stage=Stage.SAVE)
    return Trajectory(
        initial=training.allocator.initial,
        target=training.allocator.target,
        scale=numerator(training.settings, training.settings.init_r) / (training.settings.init_r + 1e-5),
        parameters=len(adapter.flat),
        losses=tuple(training.losses),
        allocations=tuple(training.allocations),
        raised=raised,
        first_mask=training.first_mask,
        finalised=training.finalised,
        live=training.live(),
        kept=training.kept(),
        tensors={name: tensor.copy() for name, tensor in named(adapter)},
        final=_loss(adapter, training),
        saved=saved,
        reloaded=reloaded,
        unsaved=unsaved,
        checkpoint=Checkpoint(saved, training.moments.copy(), training.optimizer_step) if saved else None,
    )


def _loss(adapter: Adapter, training: Training) -> float:
    return float(np.mean([adapter.loss(inputs, wanted) for inputs, wanted in training.lesson.batches]))
