"""The schedule of a Plan: its three phases, its masks, and the ranks that are left after each of them.

Steps are values of the counter that `update_and_allocate` is given. What a run makes of the schedule is the trace's
affair; here is what the configuration asks for. Nothing loops over steps, so that `total_step=10**12` costs no more
than ten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from adalint.plan import SCHEDULE_FIELDS
from adalint.trace import budget_of
from adalint.values import Literal, is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adalint.plan import Plan
    from adalint.values import Number

MOST_RUNS: Final = 10_000
"""Stretches of equal budget that are listed; of a schedule with more, `SAMPLES` steps are."""

SAMPLES: Final = 1_000

PHASES: Final = ("initial", "budgeting", "final")


@dataclass(frozen=True, slots=True)
class Phase:
    """Some consecutive steps, both ends included; empty when `last` lies before `first`."""

    name: str
    first: int
    last: int

    @property
    def length(self) -> int:
        """The number of its steps."""
        return max(0, self.last - self.first + 1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps that all have the same budget, both ends included; the budget is summed over all modules."""

    first: int
    last: int
    budget: Number


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a configuration asks for, from `first` to `last` step.

    `end` is `total_step - tfinal`, where the forced mask comes; `forced` is that step when it is a whole number that
    the counter passes. `every` is the distance between masks, None when no step can be divided by deltaT. Ranks and
    budgets are summed over `modules`.
    """

    modules: int
    init_r: int
    target_r: Number
    tinit: Number
    end: Number
    every: int | None
    first: int
    last: int
    budget: Callable[[int], Number] = field(repr=False, compare=False)

    @property
    def phases(self) -> tuple[Phase, Phase, Phase]:
        """The steps in which all ranks are used, those in which the budget falls, and those from the forced mask on."""
        low = min(max(self.first, math.floor(self.tinit) + 1), self.last + 1)
        high = max(low, min(self.last + 1, math.ceil(self.end)))
        bounds = ((self.first, low - 1), (low, high - 1), (high, self.last))
        initial, budgeting, final = (Phase(name, *ends) for name, ends in zip(PHASES, bounds, strict=True))
        return initial, budgeting, final

    @property
    def forced(self) -> int | None:
        """The step of the forced mask; None when the counter never is `end`."""
        end = int(self.end)
        return end if end == self.end and self.first <= end <= self.last else None

    @property
    def due(self) -> range:
        """The steps before `end` at which a mask is due."""
        budgeting = self.phases[1]
        if self.every is None:
            return range(0)
        first = -(-budgeting.first // self.every) * self.every
        return range(first, budgeting.last + 1, self.every)

    @property
    def masks(self) -> int:
        """The number of masks, the forced one included."""
        return len(self.due) + (self.forced is not None)

    @property
    def first_mask(self) -> int | None:
        """The step of the first mask; None when there is none."""
        return self.due[0] if self.due else self.forced

    def left(self, step: int) -> Number:
        """Give the ranks that the latest mask up to `step` leaves, over all modules; before the first, all of them."""
        if self.forced is not None and step >= self.forced:
            return int(self.budget(self.forced))
        due = self.due
        if not due or step < due[0]:
            return self.init_r * self.modules
        latest = min(due[-1], due[0] + (step - due[0]) // due.step * due.step)
        return int(self.budget(latest))

    def stretches(self) -> tuple[tuple[Stretch, ...], bool]:
        """List the budgets of all steps, equal neighbours together; False when only samples could be listed."""
        initial, budgeting, final = self.phases
        # `end` itself belongs to the final phase, but its budget is still that of the formula.
        found: list[Stretch] = [Stretch(initial.first, initial.last, self.budget(initial.last))] * bool(initial.length)
        size = budgeting.length
        changes = abs(self.budget(budgeting.first) - self.budget(budgeting.last)) if size else 0
        complete = min(size, changes) < MOST_RUNS
        if size and complete:
            step = budgeting.first
            while step <= budgeting.last:
                last = _last_alike(self.budget, step, budgeting.last)
                found.append(Stretch(step, last, self.budget(step)))
                step = last + 1
        elif size:
            samples = (budgeting.first + (size - 1) * index // (SAMPLES - 1) for index in range(SAMPLES))
            found += (Stretch(step, step, self.budget(step)) for step in samples)
        if final.length:
            found.append(Stretch(final.first, final.first, self.budget(final.first)))
        if final.length > 1:
            found.append(Stretch(final.first + 1, final.last, self.budget(final.last)))
        return tuple(_joined(found)), complete

    def cuts(self) -> int | None:
        """Count the masks that take ranks away; None when there are too many to look at."""
        stretches, complete = self.stretches()
        if not complete:
            return None
        everything = self.init_r * self.modules
        due, forced = self.due, self.forced
        values = {int(one.budget) for one in stretches if _meets(due, one)}
        if forced is not None:
            values.add(int(self.budget(forced)))
        return len([value for value in values if value < everything])


def schedule_of(plan: Plan) -> Schedule:
    """Draw up the schedule of a plan whose ranks, steps and number of modules are known.

    Raises:
        Undetermined: something of these is unknown, or no number that a schedule can be made of.
    """
    budget = budget_of(plan)
    known: dict[str, Any] = {}
    for name in SCHEDULE_FIELDS:
        expr = plan.values.get(name)
        known[name] = expr.value if isinstance(expr, Literal) else None
    counter = plan.loop.counter
    # A counter that is no plain count of optimizer steps passes the steps of the schedule in its own way.
    first = counter.start if counter.stride == 1 and counter.period is None else 0
    return Schedule(
        modules=plan.modules or 0,
        init_r=known["init_r"],
        target_r=known["target_r"],
        tinit=known["tinit"],
        end=known["total_step"] - known["tfinal"],
        every=_every(known["deltaT"]),
        first=first,
        last=first + max(1, int(known["total_step"])) - 1,
        budget=budget,
    )


def _every(delta: object) -> int | None:
    """Give the whole number whose multiples are those of deltaT, as `mask_to_budget` looks for them."""
    if not isinstance(delta, int | float) or not is_number(delta) or not math.isfinite(delta) or delta == 0:
        return None
    return Fraction(abs(delta)).numerator


def _last_alike(budget: Callable[[int], Number], first: int, stop: int) -> int:
    """Find the last step up to `stop` with the budget of `first`: the budget never turns back."""
    wanted, good, ahead = budget(first), first, 1
    while good + ahead <= stop and budget(good + ahead) == wanted:
        good, ahead = good + ahead, ahead * 2
    bad = min(good + ahead, stop + 1)
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if budget(middle) == wanted else (good, middle)
    return good


def _joined(stretches: Sequence[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for one in stretches:
        if joined and joined[-1].budget == one.budget and joined[-1].last + 1 == one.first:
            joined[-1] = Stretch(joined[-1].first, one.last, one.budget)
        else:
            joined.append(one)
    return joined


def _meets(due: range, stretch: Stretch) -> bool:
    """Tell whether a mask is due within a stretch."""
    if not due or stretch.last < due[0] or stretch.first > due[-1]:
        return False
    latest = due[0] + (min(stretch.last, due[-1]) - due[0]) // due.step * due.step
    return latest >= stretch.first
