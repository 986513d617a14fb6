"""Break the machine, one way at a time: the comparison with PEFT has to notice each."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import allocator_oracle
import pytest
from schedules import grid, random_plans, same

from adalint import trace as machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from adalint.plan import Plan
    from adalint.trace import Trace

SOURCE = Path(machine.__file__).read_text(encoding="utf-8")

MUTATIONS = {
    "square for cube": ("remaining**3", "remaining**2"),
    "masks already at tinit": (
        "if step <= self.tinit:\n            return False",
        "if step < self.tinit:\n            return False",
    ),
    "budget rounded, not cut off": ("return int((self.initial", "return round((self.initial"),
    "scores survive T-F": ("scores=_Fill.NOTHING if final else scores", "scores=scores"),
    "masked ranks never revive": (
        "self.state = replace(self.state, live=self.schedule.initial)",
        "self.state = replace(self.state, live=self.state.live)",
    ),
    "deltaT counted from tinit": ("return step % self.period == 0", "return (step - self.tinit) % self.period == 0"),
    "a cut of no rank is possible": ("1 <= self.initial - left", "0 <= self.initial - left"),
    "a cut below no rank is possible": (
        "self.initial - left <= self.initial",
        "self.initial - left <= self.initial + 1",
    ),
    "no forced mask at T-F": ("if not (due or final):", "if not due:"),
    "deltaT not asked at T-F": ("due = schedule.masks(step)", "due = final or schedule.masks(step)"),
    "the forced mask comes a step later": ("final = step == schedule.end", "final = step == schedule.end + 1"),
    "no remasking after T-F": ("live=min(state.live, state.kept)", "live=state.live"),
    "zeros score like numbers": ("kept = int(left) if scores is _Fill.NUMBERS else 0", "kept = int(left)"),
    "zero_grad leaves gradients": (
        "case Event.ZERO_GRAD:\n                    gradients = _Fill.NOTHING",
        "case Event.ZERO_GRAD:\n                    gradients = gradients",
    ),
    "the last mask is jumped over": ("found.add(max(at[-1] for _, at in masked))", "pass"),
    "skipped steps leave no trace before a failure": ("self._jump(offset, first, position)", "pass"),
}


@pytest.fixture(scope="module")
def truth() -> list[tuple[Plan, allocator_oracle.Outcome]]:
    plans = [*islice(grid(), 0, None, 997), *random_plans(250, seed=7)]
    return [(plan, allocator_oracle.run(plan)) for plan in plans]


def disagreeing(trace: Callable[[Plan], Trace], truth: list[tuple[Plan, allocator_oracle.Outcome]]) -> int:
    return sum(not same(trace(plan), seen) for plan, seen in truth)


def broken(name: str, old: str, new: str) -> ModuleType:
    assert SOURCE.count(old) == 1
    module = ModuleType(f"broken trace: {name}")
    # Dataclasses look their module up.
    sys.modules[module.__name__] = module
    exec(compile(SOURCE.replace(old, new), module.__name__, "exec"), module.__dict__)
    return module


def test_the_machine_as_it_is_agrees_with_peft(truth: list[tuple[Plan, allocator_oracle.Outcome]]) -> None:
    assert len(truth) > 800
    assert disagreeing(machine.trace, truth) == 0


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_machine_is_caught(name: str, truth: list[tuple[Plan, allocator_oracle.Outcome]]) -> None:
    module = broken(name, *MUTATIONS[name])
    try:
        assert disagreeing(module.trace, truth) > 0
    finally:
        del sys.modules[module.__name__]
