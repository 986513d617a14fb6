"""What PEFT's allocator will do in a run, call by call, without tensors.

Which calls mask, which one raises, and which ranks are left depend on the configuration and on the order of events, not
on weights: gradients are taken to be finite, scores to be distinct. The machine jumps from event to event, so that a
run of 10**12 steps costs no more than one of ten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from adalint.plan import SCHEDULE_FIELDS, Event
from adalint.values import UNKNOWN, Literal, is_number, symbols

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from adalint.plan import Guard, Loop, Plan
    from adalint.values import Expr, Number

LARGEST: Final = 2**53
"""Beyond this a float no longer counts steps, and the schedule is not traced."""

MOST_CALLS: Final = 1024
"""Calls within one optimizer step that are still traced."""


@dataclass(frozen=True, slots=True)
class Trace:
    """How a run ends: finished, or with the exception that PEFT raises.

    Ranks are summed over all modules. `failing_call` and `failing_optimizer_step` count from 0, `failing_step` and
    `first_mask` are values of the counter. `calls` returned normally. `live` ranks are not masked in memory at the
    end; `kept` is what `save_pretrained` writes, None while `rank_pattern` is null. `finalised` tells whether the
    forced mask at `total_step - tfinal` was made.
    """

    exception: str | None
    message: str | None
    failing_step: int | None
    failing_call: int | None
    failing_optimizer_step: int | None
    first_mask: int | None
    calls: int
    live: int
    kept: int | None
    initial: int
    target: Number
    finalised: bool


class Undetermined(Exception):
    """A run depends on something that is unknown, or that no allocator could count with; `names` says what."""

    def __init__(self, names: frozenset[str]) -> None:
        """Keep the names of fields and symbols, `modules` or `loop`."""
        super().__init__(", ".join(sorted(names)))
        self.names = names


def trace(plan: Plan) -> Trace:
    """Run a plan through PEFT's `AdaLoraModel.update_and_allocate`, without tensors.

    Masks that follow each other without an optimizer step between them are taken to be nested.
    Raises Undetermined when a schedule field, the number of modules or the loop is unknown or no finite number.
    A `deltaT` that is None or a string is traced: PEFT accepts it and fails at the first step that looks at it.
    """
    loop = plan.loop
    runs = loop.allocates is not False and not loop.guard.needs_rank_pattern
    schedule = _schedule(plan, SCHEDULE_FIELDS if runs else ("init_r", "target_r"))
    run = _Run(schedule, loop)
    failure = None
    if runs:
        try:
            run.train(max(0, int(schedule.total_step) if loop.steps is None else loop.steps))
        except _Failure as raised:
            failure = raised
    return Trace(
        exception=failure.exception if failure else None,
        message=failure.message if failure else None,
        failing_step=run.step if failure else None,
        failing_call=run.calls if failure else None,
        failing_optimizer_step=run.optimizer_step if failure else None,
        first_mask=run.state.first_mask,
        calls=run.calls,
        live=run.state.live,
        kept=run.state.kept,
        initial=schedule.initial,
        target=schedule.target,
        finalised=run.state.finalised,
    )


def budget(plan: Plan, step: int) -> Number:
    """Compute the budget of a step: ranks left over all modules (AdaLoRA equation 12, PEFT's `budget_schedule`).

    Raises Undetermined like `trace`, except for `deltaT` and the loop, which it does not need.
    """
    return budget_of(plan)(step)


def budget_of(plan: Plan) -> Callable[[int], Number]:
    """Give the budget as a function of the step; raises like `budget`."""
    return _schedule(plan, tuple(name for name in SCHEDULE_FIELDS if name != "deltaT"), loop=False).budget


class _Fill(IntEnum):
    """What the gradients, or the scores made of them, consist of; the greater one wins when scores are averaged."""

    NOTHING = 0
    ZEROS = 1
    NUMBERS = 2


class _Failure(Exception):
    def __init__(self, exception: str, message: str) -> None:
        super().__init__(message)
        self.exception = exception
        self.message = message


@dataclass(frozen=True, slots=True)
class _Schedule:
    """Ranks over all modules, and the steps between which the budget falls; `end` is `total_step - tfinal`.

    `period` is the distance between masks, or the failure of a `deltaT` that nothing can be divided by.
    """

    initial: int
    target: Number
    tinit: Number
    end: Number
    total_step: Number
    period: int | tuple[str, str]

    def budget(self, step: int) -> Number:
        if step <= self.tinit:
            return self.initial
        if step > self.end:
            return self.target
        remaining = 1 - (step - self.tinit) / (self.end - self.tinit)
        return int((self.initial - self.target) * remaining**3 + self.target)

    def masks(self, step: int) -> bool:
        if step <= self.tinit:
            return False
        if isinstance(self.period, tuple):
            raise _Failure(*self.period)
        return step % self.period == 0

    def can_cut_to(self, left: Number) -> bool:
        """Tell whether `kthvalue` has a k to find: at least one rank goes, at most all of them do."""
        return 1 <= self.initial - left <= self.initial


@dataclass(frozen=True, slots=True)
class _State:
    """What one call leaves to the next."""

    live: int
    scores: _Fill = _Fill.NOTHING
    kept: int | None = None
    first_mask: int | None = None
    finalised: bool = False


def _allocate(schedule: _Schedule, state: _State, step: int, gradients: _Fill) -> _State:
    if step > schedule.end:
        if state.kept is None:
            raise _Failure("AttributeError", "'NoneType' object has no attribute 'keys'")
        return replace(state, live=min(state.live, state.kept))
    final = step == schedule.end
    scores = state.scores
    if not final:
        if gradients is _Fill.NOTHING:
            raise _Failure("TypeError", "unsupported operand type(s) for *: 'Parameter' and 'NoneType'")
        scores = max(scores, gradients)
    # Asked even when the mask is forced, as PEFT does: deltaT=0 fails there before missing scores do.
    due = schedule.masks(step)
    if not (due or final):
        return replace(state, scores=scores)
    if scores is _Fill.NOTHING:
        raise _Failure("KeyError", "'...lora_A.default'")
    if schedule.initial == 0:
        raise _Failure("IndexError", "kthvalue(): Expected reduction dim 0 to have non-zero size.")
    left = schedule.budget(step)
    if not schedule.can_cut_to(left):
        raise _Failure("RuntimeError", "kthvalue(): selected number k out of range for dimension 0")
    # Scores that are all zero all lie at the threshold, and everything is masked.
    kept = int(left) if scores is _Fill.NUMBERS else 0
    return _State(
        live=min(state.live, kept),
        scores=_Fill.NOTHING if final else scores,
        kept=kept,
        first_mask=step if state.first_mask is None else state.first_mask,
        finalised=state.finalised or final,
    )


@dataclass(frozen=True, slots=True)
class _Call:
    """One call within an optimizer step: which it is, and what gradients it finds in the first step and later."""

    index: int
    at_first: _Fill
    later: _Fill


def _program(loop: Loop) -> tuple[_Call | None, ...]:
    """List what matters to the allocator within one optimizer step: its calls, and None where masked ranks revive."""
    events = _spread(loop.order, loop.calls)
    gradients = _Fill.NOTHING
    seen: list[list[_Fill]] = []
    # What the first optimizer step leaves, the second one finds, and so does every later one.
    for _ in range(2):
        found = []
        for event in events:
            match event:
                case Event.BACKWARD:
                    gradients = _Fill.NUMBERS
                case Event.ZERO_GRAD:
                    gradients = _Fill.NOTHING
                case Event.ZERO_FILL:
                    gradients = _Fill.ZEROS
            found.append(gradients)
        seen.append(found)
    program: list[_Call | None] = []
    index = 0
    for event, at_first, later in zip(events, *seen, strict=True):
        if event is Event.ALLOCATE:
            program.append(_Call(index, at_first, later))
            index += 1
        elif event is Event.STEP and later is _Fill.NUMBERS:
            program.append(None)
    return tuple(program)


def _spread(order: tuple[Event, ...], calls: int) -> tuple[Event, ...]:
    """Repeat the backward pass and the call next to it, once for each micro-batch."""
    if calls < 1 or Event.ALLOCATE not in order:
        return tuple(event for event in order if event is not Event.ALLOCATE)
    if Event.BACKWARD not in order:
        unit: tuple[Event, ...] = (Event.ALLOCATE,)
    elif order.index(Event.BACKWARD) < order.index(Event.ALLOCATE):
        unit = (Event.BACKWARD, Event.ALLOCATE)
    else:
        unit = (Event.ALLOCATE, Event.BACKWARD)
    at = order.index(unit[0])
    return (*order[:at], *(unit * (calls - 1)), *order[at:])


@dataclass(frozen=True, slots=True)
class _Residue:
    """The integers n with `n % modulus == remainder`."""

    modulus: int
    remainder: int


def _solve(factor: int, constant: int, residue: _Residue) -> _Residue | None:
    """Solve `factor * x + constant` in `residue` for x."""
    common = math.gcd(factor, residue.modulus)
    difference = residue.remainder - constant
    if difference % common:
        return None
    modulus = residue.modulus // common
    return _Residue(modulus, difference // common * pow(factor // common, -1, modulus) % modulus)


def _both(left: _Residue, period: int) -> _Residue | None:
    """Intersect a residue class with the multiples of `period`."""
    multiples = _solve(period, 0, left)
    return multiples and _Residue(period * multiples.modulus, period * multiples.remainder)


def _guarded(guard: Guard) -> _Residue | None:
    """Give the counter values that `s % every == remainder` lets through, with Python's sign of a remainder."""
    if guard.remainder % guard.every != guard.remainder:
        return None
    return _Residue(abs(guard.every), guard.remainder % abs(guard.every))


class _Run:
    """A run in progress: the state after the calls made so far, and where the latest one was made."""

    def __init__(self, schedule: _Schedule, loop: Loop) -> None:
        self.schedule = schedule
        self.counter = loop.counter
        self.guard = loop.guard
        self.program = _program(loop)
        self.state = _State(live=schedule.initial)
        self.calls = 0
        self.step = 0
        self.optimizer_step = 0
        self._called = _guarded(loop.guard)
        self._masking = None
        if self._called and isinstance(schedule.period, int):
            self._masking = _both(self._called, schedule.period)
        thresholds: list[Number | None] = [math.floor(schedule.tinit) + 1, math.ceil(schedule.end)]
        thresholds += [math.floor(schedule.end) + 1, loop.guard.first]
        thresholds += [None if loop.guard.last is None else loop.guard.last + 1]
        self._thresholds = [int(threshold) for threshold in thresholds if threshold is not None]

    def train(self, steps: int) -> None:
        """Make all calls of a run of `steps` optimizer steps; raises _Failure where PEFT would raise."""
        period = 1 if self.counter.stride == 0 else self.counter.period or max(steps, 1)
        rounds, rest = divmod(steps, period)
        for done in range(rounds):
            state, calls = self.state, self.calls
            self._count_through(done * period, period)
            # A round that changes nothing will change nothing again; at most the first few do.
            if self.state == state:
                self.calls += (rounds - done - 1) * (self.calls - calls)
                break
        if rest:
            self._count_through(rounds * period, rest)

    def _count_through(self, offset: int, length: int) -> None:
        """Make the calls of optimizer steps offset … offset + length - 1, through which the counter runs once."""
        turns = {0, min(1, length), length}
        if length > 1:
            turns |= {turn for turn in self._turns() if 0 < turn < length}
        for first, end in pairwise(sorted(turns)):
            self._jump(offset, first, end)

    def _turns(self) -> Iterable[int]:
        """Find the positions at which the counter of some call passes a threshold."""
        stride = self.counter.stride
        for call in self._calls():
            start = self._counter(0, call)
            for threshold in self._thresholds:
                distance = start - threshold
                yield -(distance // stride) if stride > 0 else distance // -stride + 1

    def _jump(self, offset: int, first: int, end: int) -> None:
        """Make the calls of positions first … end - 1, between which no counter passes a threshold."""
        state, calls = self.state, self.calls
        for position in self._landmarks(first, end):
            try:
                self._iterate(offset, position)
            except _Failure:
                if position == first:
                    raise
                # What was skipped before the failing step still shows in memory: come to it anew.
                self.state, self.calls = state, calls
                self._jump(offset, first, position)
                self._iterate(offset, position)
        self.calls = calls + self._count(first, end)

    def _iterate(self, offset: int, position: int) -> None:
        self.optimizer_step = offset + position
        for call in self.program:
            if call is None:
                self.state = replace(self.state, live=self.schedule.initial)
                continue
            step = self._counter(position, call)
            if self._called and self._in_range(step) and step % self._called.modulus == self._called.remainder:
                self.step = step
                gradients = call.later if self.optimizer_step else call.at_first
                self.state = _allocate(self.schedule, self.state, step, gradients)
                self.calls += 1

    def _landmarks(self, first: int, end: int) -> Sequence[int]:
        """Choose the positions that alone decide how the state looks after them all, and where a call fails first.

        These are the first call, the first, the first impossible and the last mask, and the last optimizer step.
        """
        if end - first == 1:
            return (first,)
        found = {end - 1}
        revives = None in self.program
        groups: dict[int, list[_Call]] = {}
        for call in self._calls():
            # Without revival every mask leaves its trace, so each call's own first and last count.
            groups.setdefault(call.later if revives else call.index, []).append(call)
        for group in groups.values():
            called = [at for call in group if (at := self._positions(call, first, end, self._called))]
            if called:
                found.add(min(at.start for at in called))
            masked = [(call, at) for call in group if (at := self._masks(call, first, end))]
            if masked:
                found.add(min(at.start for _, at in masked))
                found.add(max(at[-1] for _, at in masked))
                impossible = (self._impossible(call, at) for call, at in masked)
                found |= {position for position in impossible if position is not None}
        return sorted(found)

    def _masks(self, call: _Call, first: int, end: int) -> range:
        if not self.schedule.tinit < self._counter(first, call) < self.schedule.end:
            return range(0)
        return self._positions(call, first, end, self._masking)

    def _impossible(self, call: _Call, positions: range) -> int | None:
        """Find the first mask that cannot be made.

        The budget only falls, or only rises, along the counter: once possible, a mask stays so up to one place.
        """

        def possible(position: int) -> bool:
            return self.schedule.can_cut_to(self.schedule.budget(self._counter(position, call)))

        if not possible(positions[0]):
            return positions[0]
        if possible(positions[-1]):
            return None
        good, bad = 0, len(positions) - 1
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if possible(positions[middle]) else (good, middle)
        return positions[bad]

    def _count(self, first: int, end: int) -> int:
        return sum(len(self._positions(call, first, end, self._called)) for call in self._calls())

    def _positions(self, call: _Call, first: int, end: int, wanted: _Residue | None) -> range:
        """List the positions in first … end - 1 at which a call is made with a counter in the wanted residue class."""
        if wanted is None or not self._in_range(self._counter(first, call)):
            return range(0)
        at = _solve(self.counter.stride, self._counter(0, call), wanted)
        return range(first + (at.remainder - first) % at.modulus, end, at.modulus) if at else range(0)

    def _calls(self) -> Iterable[_Call]:
        return (call for call in self.program if call is not None)

    def _counter(self, position: int, call: _Call) -> int:
        return self.counter.start + self.counter.stride * position + self.counter.call_stride * call.index

    def _in_range(self, step: int) -> bool:
        low, high = self.guard.first, self.guard.last
        return (low is None or low <= step) and (high is None or step <= high)


def _schedule(plan: Plan, needed: Sequence[str], *, loop: bool = True) -> _Schedule:
    exprs = {name: plan.values.get(name, UNKNOWN) for name in needed}
    missing: set[str] = set()
    numbers: dict[str, Any] = dict.fromkeys(SCHEDULE_FIELDS, 0)
    for name, expr in exprs.items():
        if isinstance(expr, Literal) and _is_usable(name, expr.value):
            numbers[name] = expr.value
        else:
            missing |= symbols(expr) or {name}
    # A rank pattern of the user's own would be saved, and would open guards that wait for one.
    pattern: Expr = plan.values.get("rank_pattern", UNKNOWN)
    if isinstance(pattern, Literal) and pattern.value is not None:
        missing.add("rank_pattern")
    modules = plan.modules
    if modules is None or not 0 < modules <= LARGEST:
        missing.add("modules")
    if loop and not _is_traceable(plan.loop):
        missing.add("loop")
    if missing or modules is None:
        raise Undetermined(frozenset(missing))
    return _Schedule(
        initial=numbers["init_r"] * modules,
        target=numbers["target_r"] * modules,
        tinit=numbers["tinit"],
        end=numbers["total_step"] - numbers["tfinal"],
        total_step=numbers["total_step"],
        period=_period(numbers["deltaT"]),
    )


def _is_usable(name: str, value: object) -> bool:
    if name == "deltaT" and (value is None or isinstance(value, str)):
        return True
    if name == "init_r" and (not isinstance(value, int) or value < 0):
        return False
    # NaN fails the comparison too.
    return isinstance(value, int | float) and is_number(value) and abs(value) <= LARGEST


def _is_traceable(loop: Loop) -> bool:
    if loop.allocates is UNKNOWN:
        return False
    return (
        loop.guard.every != 0 and (loop.counter.period is None or loop.counter.period > 0) and loop.calls <= MOST_CALLS
    )


def _period(delta: Number | str | None) -> int | tuple[str, str]:
    """Give the whole number whose multiples are those of deltaT: of 2.5 = 5/2 only every second one is a step."""
    if delta is None or isinstance(delta, str):
        kind = "NoneType" if delta is None else "str"
        return "TypeError", f"unsupported operand type(s) for %: 'int' and '{kind}'"
    if delta == 0:
        return "ZeroDivisionError", "integer modulo by zero" if isinstance(delta, int) else "float modulo"
    return Fraction(abs(delta)).numerator
