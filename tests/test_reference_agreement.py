"""The reference adapter does what PEFT does on torch, in float64."""

from __future__ import annotations

import math
from typing import TypeAlias

import pytest
from reference_agreement import (
    FREE,
    ONE_STEP,
    Agreement,
    Case,
    FreeRun,
    cases,
    freely,
    in_peft,
    long_cases,
    step_by_step,
)

Runs: TypeAlias = list[tuple[Case, Agreement, FreeRun]]


@pytest.fixture(scope="module")
def runs() -> Runs:
    found = []
    for case in (*cases(200, seed=1), *cases(5, seed=2, longest=100), *long_cases()):
        peft = in_peft(case)
        agreement = step_by_step(case, peft)
        found.append((case, agreement, freely(case, peft)))
    return found


def test_from_pefts_own_state_every_optimizer_step_comes_out_alike(runs: Runs) -> None:
    for case, agreement, _ in runs:
        assert agreement.different == [], case
        assert agreement.worst <= ONE_STEP, (case, agreement.furthest)
    steps = sum(agreement.steps for _, agreement, _ in runs)
    print(f"{len(runs)} runs, {steps} steps; worst {max(agreement.worst for _, agreement, _ in runs):.1e}")


def test_free_runs_come_out_alike_where_rounding_does_not_decide(runs: Runs) -> None:
    stable = [(case, free) for case, _, free in runs if free.is_stable]
    for case, free in stable:
        assert free.reference <= FREE, case
    print(f"{len(stable)} of {len(runs)} runs are stable; worst {max(free.reference for _, free in stable):.1e}")


def test_most_runs_are_stable(runs: Runs) -> None:
    assert sum(free.is_stable for _, _, free in runs) >= 0.9 * len(runs)


def test_a_long_run_of_adamw_with_penalty_is_not_stable_and_still_agrees_step_by_step(runs: Runs) -> None:
    unstable = [agreement for _, agreement, free in runs if not free.is_stable]
    assert max(agreement.steps for agreement in unstable) == 500
    assert all(agreement.worst <= ONE_STEP for agreement in unstable)


def test_the_runs_are_finite_and_of_every_kind(runs: Runs) -> None:
    assert len(runs) >= 200
    free_runs = [free for _, _, free in runs]
    assert all(math.isfinite(free.final_loss) for free in free_runs)
    endings = {free.exception for free in free_runs}
    assert endings >= {None, "RuntimeError", "ZeroDivisionError", "TypeError", "KeyError", "AttributeError"}
    assert sum(free.masks > 0 for free in free_runs) > 100
