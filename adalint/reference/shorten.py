"""Shorter plans that end as long ones do."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.trace import Undetermined, trace
from adalint.values import Literal

if TYPE_CHECKING:
    from adalint.plan import Plan
    from adalint.trace import Trace
    from adalint.values import Number

LONGEST: Final = 2000
"""Optimizer steps that are run; longer runs are divided, or traced."""

FACTORS: Final = 32
"""How many factors are tried, from the smallest that makes a run short enough."""


def length(plan: Plan) -> int:
    """Count the optimizer steps of a concrete plan; raises Undetermined when `total_step` is no finite number."""
    if plan.loop.steps is not None:
        return plan.loop.steps
    total = plan.values["total_step"]
    if not (isinstance(total, Literal) and isinstance(total.value, int | float) and math.isfinite(total.value)):
        raise Undetermined(frozenset({"total_step"}))
    return max(0, int(total.value))


def shorten(plan: Plan, longest: int = LONGEST) -> tuple[Plan, int] | None:
    """Divide every length of a plan by one factor so that at most `longest` steps are left; give it and the factor.

    None when no factor that was tried leaves the verdict of the trace as it is.
    """
    steps, whole = length(plan), trace(plan)
    least = -(-steps // longest)
    for factor in range(least, least + FACTORS):
        shorter = divide(plan, factor)
        if length(shorter) <= longest and ends_alike(whole, trace(shorter)):
            return shorter, factor
    return None


def divide(plan: Plan, factor: int) -> Plan:
    """Divide the schedule, the steps of the run and the conditions around the call; distances stay at least 1."""
    values = dict(plan.values)
    for name in ("total_step", "tinit", "tfinal", "deltaT"):
        expr = values[name]
        if isinstance(expr, Literal) and isinstance(expr.value, int | float):
            values[name] = Literal(_part(expr.value, factor))
    loop = plan.loop
    counter, guard = loop.counter, loop.guard
    every = _part(guard.every, factor)
    return replace(
        plan,
        values=values,
        loop=replace(
            loop,
            steps=None if loop.steps is None else _part(loop.steps, factor),
            counter=replace(
                counter,
                start=_part(counter.start, factor) if abs(counter.start) > 1 else counter.start,
                period=None if counter.period is None else _part(counter.period, factor),
            ),
            guard=replace(
                guard,
                every=every,
                remainder=guard.remainder % every,
                first=None if guard.first is None else _part(guard.first, factor),
                last=None if guard.last is None else _part(guard.last, factor),
            ),
        ),
    )


def ends_alike(long: Trace, short: Trace) -> bool:
    """Tell whether two runs end in the same way, whatever the steps at which they do."""
    return all(
        getattr(long, fact) == getattr(short, fact)
        for fact in ("exception", "message", "live", "kept", "initial", "target", "finalised")
    ) and (long.first_mask is None, not long.calls) == (short.first_mask is None, not short.calls)


def _part(number: Number, factor: int) -> int:
    whole = int(abs(number)) // factor
    if number and not whole:
        whole = 1
    return whole if number > 0 else -whole
