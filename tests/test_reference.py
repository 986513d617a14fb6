"""The reference adapter by itself: its configuration, its gradients, long runs, and what it imports."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from config_oracle import generate
from pydantic import ValidationError
from reference_agreement import ONE_STEP, apart
from reference_oracle import PeftRun
from schedules import CALL_PATTERNS, A, B, S, Z, grid, plan

from adalint.plan import Counter, Guard, Loop, Plan
from adalint.reference import Adapter, Source, Task, run, shorten
from adalint.reference.allocator import kth_smallest
from adalint.schema import IgnoredRankWarning, Stage, defaults, predict
from adalint.trace import Undetermined, budget, trace
from adalint.values import UNKNOWN, Literal

if TYPE_CHECKING:
    from adalint.reference import Trajectory

TASK = Task(width=4, batch=5)


def with_values(made: Plan, **values: object) -> Plan:
    written = made.values | {name: Literal(value) for name, value in values.items()}
    return replace(made, values=written, given=dict.fromkeys(written, True))


# Configuration


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"target_r": 4}, "target_r"),
        ({"target_r": -1}, "target_r"),
        ({"deltaT": 0}, "deltaT"),
        ({"init_r": 0}, "init_r"),
        ({"tinit": 9}, "tfinal"),
        ({"beta1": 1.0}, "beta1"),
    ],
)
def test_a_strict_run_refuses_at_once_what_peft_rejects_late(values: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        run(with_values(plan(), **values), TASK, strict=True)
    assert field in {error["loc"][0] for error in refused.value.errors()}


def test_a_strict_run_refuses_a_name_that_is_no_field() -> None:
    with pytest.raises(ValidationError, match="delta_t"):
        run(replace(plan(), strangers=("delta_t",)), TASK, strict=True)


def test_r_is_accepted_with_a_warning_that_names_init_r() -> None:
    with pytest.warns(IgnoredRankWarning, match="init_r"):
        warned = run(with_values(plan(), r=64), TASK, strict=True)
    assert warned.losses == run(plan(), TASK, strict=True).losses


def test_r_changes_nothing_in_a_run_as_pefts() -> None:
    assert run(with_values(plan(), r=64), TASK).losses == run(plan(), TASK).losses


def test_without_a_task_type_peft_drops_the_penalty_and_a_strict_run_does_not() -> None:
    heavy = with_values(plan(), orth_reg_weight=1000.0)
    penalised = with_values(heavy, task_type="CAUSAL_LM")
    assert run(heavy, TASK).losses == run(with_values(plan(), orth_reg_weight=0.0), TASK).losses
    assert run(heavy, TASK, strict=True).losses == run(penalised, TASK).losses
    assert run(penalised, TASK).losses[0] > 100


def test_random_configurations_raise_what_the_schema_predicts_and_where() -> None:
    compared = 0
    differing = []
    for case in generate(1500):
        told = predict(case.values, loop=case.loop, modules=2)
        if told is UNKNOWN:
            continue
        fields = {name: case.values.get(name, default) for name, default in defaults().items()}
        made = Plan(
            {name: Literal(value) for name, value in fields.items()},
            given={name: name in case.values for name in fields},
            loop=case.loop,
            modules=2,
            strangers=tuple(name for name in case.values if name not in fields),
        )
        wanted = None
        if told is not None:
            in_training = told.stage in (Stage.FIRST_MASK, Stage.STEP)
            wanted = (None if in_training else told.stage, told.exception, told.step)
        compared += 1
        if raised(run(made, Task(width=3, batch=2))) != wanted:
            differing.append((case, told))
    assert differing == []
    assert compared > 1400


def raised(ours: Trajectory) -> tuple[Stage | None, str, int | None] | None:
    found = ours.raised or (ours.unsaved if ours.saved is None else None)
    return None if found is None else (found.stage, found.exception, found.step)


def test_what_is_unknown_is_asked_for() -> None:
    with pytest.raises(Undetermined, match="total_step"):
        run(replace(plan(), values=plan().values | {"total_step": UNKNOWN}), TASK)


@pytest.mark.parametrize(
    "loop",
    [Loop(guard=Guard(every=0)), Loop(counter=Counter(period=0)), Loop(calls=10**9)],
    ids=["every", "period", "calls"],
)
def test_a_loop_that_cannot_be_run_is_undetermined(loop: Loop) -> None:
    with pytest.raises(Undetermined, match="loop"):
        run(plan(loop), TASK)


def test_an_adapter_that_would_fill_the_memory_is_traced() -> None:
    huge = plan(init_r=10**9, target_r=4)
    ours = run(huge, TASK)
    assert ours.source is Source.TRACE
    assert ours.verdict() == trace(huge)


# Forward pass and gradients


def adapter(width: int = 4) -> tuple[Adapter, list[np.ndarray], np.ndarray, np.ndarray]:
    dice = np.random.default_rng(5)
    made = Adapter([dice.normal(size=(width, width)) for _ in range(3)], [3, 0, 5], [0.5, 2.0, 1.5])
    made.flat[...] = dice.normal(size=made.flat.shape)
    dropped = [(dice.random((6, width)) > 0.3) / 0.7 for _ in range(3)]
    return made, dropped, dice.normal(size=(6, width)), dice.normal(size=(6, width))


@pytest.mark.parametrize("drops", [False, True], ids=["without dropout", "with dropout"])
def test_gradients_are_those_of_finite_differences(drops: bool) -> None:
    made, dropped, inputs, wanted = adapter()
    given = dropped if drops else None

    def loss() -> float:
        unused = np.zeros_like(made.flat)
        return made.backward(inputs, wanted, unused, penalty=0.5, dropped=given)

    gradients = np.zeros_like(made.flat)
    made.backward(inputs, wanted, gradients, penalty=0.5, dropped=given)
    for at in range(len(made.flat)):
        kept = made.flat[at]
        made.flat[at] = kept + 1e-6
        above = loss()
        made.flat[at] = kept - 1e-6
        assert gradients[at] == pytest.approx((above - loss()) / 2e-6, rel=1e-5, abs=1e-6)
        made.flat[at] = kept


def test_no_penalty_is_as_no_gradient_where_vectors_are_orthogonal() -> None:
    made = Adapter([np.eye(3)], [2], [1.0])
    made.triplets.q[0][...], made.triplets.p[0][...] = np.eye(2, 3), np.eye(3, 2)
    gradients = np.zeros_like(made.flat)
    assert made.backward(np.eye(3), np.eye(3), gradients, penalty=0.5) == 0.0
    assert np.array_equal(gradients, np.zeros_like(gradients))


def test_at_pefts_start_the_adapter_changes_nothing() -> None:
    ours = run(plan(Loop(steps=0)), TASK)
    bare = run(with_values(plan(Loop(steps=0)), lora_alpha=1000), TASK)
    assert ours.final == bare.final
    assert ours.live == (4, 4)


def test_dropout_is_seeded() -> None:
    made = with_values(plan(), lora_dropout=0.5)
    assert run(made, TASK).losses == run(made, TASK).losses
    assert run(made, TASK).losses != run(made, replace(TASK, seed=1)).losses
    assert run(made, TASK).losses != run(plan(), TASK).losses


def test_training_gets_near_to_what_can_be_learnt() -> None:
    ours = run(plan(total_step=400, tinit=20, tfinal=50, init_r=4, target_r=3), Task())
    assert ours.final is not None
    assert ours.final < ours.losses[0] / 3


# The allocator


def test_the_kth_smallest_is_torchs() -> None:
    numbers = np.array([3.0, 1.0, np.nan, 1.0, np.inf, -2.0])
    for k in range(1, 7):
        wanted = torch.kthvalue(torch.from_numpy(numbers), k)[0].item()
        assert np.array_equal(kth_smallest(numbers, k), wanted, equal_nan=True)


@pytest.mark.parametrize(("numbers", "k"), [([1.0, 2.0], 0), ([1.0, 2.0], 3), ([1.0], -1), ([], 1)])
def test_the_kth_smallest_fails_as_torchs(numbers: list[float], k: int) -> None:
    with pytest.raises((RuntimeError, IndexError)) as theirs:
        torch.kthvalue(torch.tensor(numbers), k)
    with pytest.raises(theirs.type) as ours:
        kth_smallest(np.array(numbers), k)
    assert str(ours.value) == str(theirs.value)


def test_the_budget_of_every_call_is_that_of_the_trace() -> None:
    made = plan()
    calls = run(made, TASK).allocations
    assert [call.step for call in calls] == list(range(12))
    assert [call.budget for call in calls] == [budget(made, call.step) for call in calls]


def test_masks_are_made_when_the_schedule_says_and_freeze_after_it() -> None:
    calls = run(plan(), TASK).allocations
    masked = {call.step: call.mask for call in calls if call.mask is not None}
    assert list(masked) == [4, 6, 8, 9, 10, 11]
    assert masked[9] == masked[10] == masked[11]
    assert [call.live for call in calls if call.step in (3, 5, 9, 11)] == [8, 8, 4, 4]


def test_ranks_go_to_modules_unevenly_under_one_threshold() -> None:
    ours = run(plan(modules=4, total_step=60, tinit=10, tfinal=10), Task())
    assert ours.kept is not None
    assert sum(ours.kept) == 8
    assert len(set(ours.kept)) > 1


# Plans


@pytest.mark.parametrize("name", CALL_PATTERNS)
def test_a_run_from_pefts_own_start_ends_as_traced_in_every_loop(name: str) -> None:
    made = plan(CALL_PATTERNS[name])
    assert replace(run(made, TASK).verdict(), message=None) == replace(trace(made), message=None)


def test_a_mask_before_the_first_optimizer_step_takes_everything_as_in_peft() -> None:
    made = plan(Loop(order=(B, A, S, Z), steps=1), tinit=-1, deltaT=1)
    cold, warm = run(made, TASK), run(made, replace(TASK, warm=True))
    peft = PeftRun(made, TASK, penalised=False)
    peft.train()
    assert peft.pattern() == [False] * 8
    assert cold.kept == (0, 0)
    assert warm.kept is not None
    assert sum(warm.kept) == trace(made).kept


def test_a_guard_that_waits_for_a_pattern_opens_for_one_of_the_users() -> None:
    waiting = plan(Loop(guard=Guard(needs_rank_pattern=True)))
    assert run(waiting, TASK).allocations == ()
    assert len(run(with_values(waiting, rank_pattern={}), TASK).allocations) == 12


def test_a_run_is_the_same_every_time() -> None:
    assert run(plan(), TASK).losses == run(plan(), TASK).losses


def test_accumulated_micro_batches_are_one_large_batch() -> None:
    many = run(plan(Loop(steps=1)), replace(TASK, batches=2, accumulation=2))
    peft = PeftRun(plan(Loop(steps=1)), replace(TASK, batches=2, accumulation=2), penalised=False)
    peft.train()
    assert len(many.losses) == 1
    assert apart(many.losses, peft.losses) <= ONE_STEP
    # No optimizer step has been made yet when the loss is taken.
    assert many.losses[0] == pytest.approx(run(plan(Loop(steps=0)), replace(TASK, batches=2)).final, rel=ONE_STEP)


# Long runs


def test_a_long_run_is_divided_and_ends_as_the_whole_one() -> None:
    long = plan(total_step=10_000, tinit=200, tfinal=1000, deltaT=10, init_r=6, target_r=2)
    ours = run(long, TASK)
    assert (ours.source, ours.divided_by) == (Source.DIVIDED, 5)
    assert len(ours.losses) == 2000
    assert ours.verdict() == trace(long)
    assert sum(ours.live) == trace(long).live


def test_a_run_of_2000_steps_is_run_as_it_is() -> None:
    ours = run(plan(total_step=2000, tinit=200, tfinal=100), TASK)
    assert (ours.source, ours.divided_by, len(ours.losses)) == (Source.RUN, 1, 2000)


def test_a_run_that_no_shorter_one_is_like_is_answered_by_the_trace_alone() -> None:
    # It stops while the budget falls, at a rank of 100,000 that no other step leaves.
    long = plan(Loop(steps=431_234), total_step=1_000_003, tinit=7_777, deltaT=1, init_r=100_000, target_r=1)
    ours = run(long, TASK)
    assert ours.source is Source.TRACE
    assert ours.losses == ()
    assert ours.verdict() == trace(long)


def test_a_shorter_plan_ends_alike() -> None:
    found = 0
    for each in islice(grid(("from 0", "twice per step", "stops early")), 0, None, 997):
        scaled = with_values(
            each,
            **{name: each.values[name].value * 1000 for name in ("total_step", "tinit", "tfinal", "deltaT")},
        )
        shorter = shorten(replace(scaled, loop=replace(scaled.loop, steps=None)))
        if shorter is None:
            continue
        found += 1
        whole, short = trace(replace(scaled, loop=replace(scaled.loop, steps=None))), trace(shorter[0])
        assert (whole.exception, whole.live, whole.kept) == (short.exception, short.live, short.kept)
    assert found > 40


def test_a_counter_that_starts_at_one_still_does_in_the_shorter_plan() -> None:
    shorter = shorten(plan(Loop(counter=Counter(start=1)), total_step=8000, tfinal=0, tinit=100, deltaT=8))
    assert shorter is not None
    assert shorter[0].loop.counter.start == 1
    assert shorter[1] == 4


# Imports


def test_nothing_else_of_adalint_imports_numpy() -> None:
    program = (
        "import sys, adalint.api, adalint.engine, adalint.trace, adalint.plan, adalint.schema, adalint.verify, "
        "adalint.cli; print('numpy' in sys.modules, 'adalint.reference' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]


def test_without_numpy_the_extra_is_named() -> None:
    program = "import sys; sys.modules['numpy'] = None\nimport adalint.reference"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install 'adalint[verify]'" in shown.stderr.splitlines()[-1]
