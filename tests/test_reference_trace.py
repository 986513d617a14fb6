"""The reference adapter ends every Plan as the trace says."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from schedules import grid, random_plans

from adalint.reference import SGD, Task, run
from adalint.trace import trace

if TYPE_CHECKING:
    from adalint.plan import Plan

SMALL = Task(width=4, batch=4, warm=True)


def differing(plans: list[Plan], task: Task) -> list[str]:
    found = []
    for each in plans:
        told, seen = trace(each), run(each, task)
        if seen.raised is not None and seen.raised.stage is not None:
            found.append(f"not run: {each}")
        # Where PEFT's sentence goes on with sizes or names, the trace gives its constant part.
        elif replace(told, message=None) != replace(seen.verdict(), message=None):
            found.append(f"{each.values} {each.modules} {each.loop}\n  {told}\n  {seen.verdict()}")
    return found


@pytest.fixture(scope="module")
def every_997th() -> list[Plan]:
    return list(islice(grid(), 0, None, 997))


def test_every_997th_plan_of_the_grid_ends_as_traced(every_997th: list[Plan]) -> None:
    assert len(every_997th) > 400
    assert differing(every_997th, SMALL) == []


@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.9)], ids=["plain", "with momentum"])
def test_gradient_descent_ends_as_traced_too(optimizer: SGD, every_997th: list[Plan]) -> None:
    assert differing(every_997th[::5], replace(SMALL, optimizer=optimizer)) == []


def test_long_random_plans_end_as_traced() -> None:
    assert differing(list(random_plans(250, seed=7)), SMALL) == []
