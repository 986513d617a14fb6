from __future__ import annotations

import math
from dataclasses import replace
from itertools import islice
from typing import Any

import allocator_oracle
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from peft import AdaLoraConfig
from schedules import CALL_PATTERNS, A, B, F, S, Z, disagreements, grid, plan, random_plans, same
from stepping import step_through

from adalint import trace as machine
from adalint.plan import UNKNOWN_LOOP, Counter, Guard, Loop, Plan
from adalint.trace import Undetermined, budget, trace
from adalint.values import UNKNOWN, Literal, Operation, Symbol

LONG = {"init_r": 12, "target_r": 4, "tinit": 20, "tfinal": 40, "deltaT": 5, "total_step": 200}
"""The 200-step runs of SEMANTICS, on 14 modules."""


def only(first: int, last: int | None = None) -> Loop:
    return Loop(guard=Guard(first=first, last=last))


def every(steps: int) -> Loop:
    return Loop(guard=Guard(every=steps))


FINISHED = [
    # what, fields, loop, live, kept
    ("a right loop from 0", {}, Loop(), 8, 8),
    ("a right loop from 1", {}, CALL_PATTERNS["from 1"], 8, 8),
    ("no multiple of deltaT in the window", {"deltaT": 100}, Loop(), 8, 8),
    ("tfinal=0 with deltaT=1", {"tfinal": 0, "deltaT": 1}, Loop(), 8, 8),
    ("tfinal=0 with deltaT=2", {"tfinal": 0, "deltaT": 2}, Loop(), 16, 8),
    ("tfinal=0 with deltaT=5", {"tfinal": 0, "deltaT": 5}, Loop(), 16, 8),
    ("tfinal=0 with deltaT beyond the window", {"tfinal": 0, "deltaT": 100}, Loop(), 16, None),
    ("tfinal=0 counted from 1", {"tfinal": 0}, CALL_PATTERNS["from 1"], 8, 8),
    ("called every 2nd step", {}, every(2), 16, 8),
    ("called every 3rd step", {}, every(3), 16, 8),
    ("called every 4th step", {}, every(4), 16, 8),
    ("total_step 15 for 12 steps", {"total_step": 15}, Loop(steps=12), 16, 8),
    ("total_step 24 for 12 steps", {"total_step": 24}, Loop(steps=12), 16, 9),
    ("total_step 48 for 12 steps", {"total_step": 48}, Loop(steps=12), 16, 12),
    ("total_step 1000 for 12 steps", {"total_step": 1000}, Loop(steps=12), 16, 15),
    ("total_step 6 for 12 steps", {"total_step": 6}, Loop(steps=12), 8, 8),
    ("total_step 9 for 12 steps", {"total_step": 9}, Loop(steps=12), 8, 8),
    ("never called", {}, CALL_PATTERNS["never"], 16, None),
    ("called only after tinit", {}, only(3), 8, 8),
    ("no more called from T-F on", {}, only(0, 8), 16, 8),
    ("no more called after T-F", {}, only(0, 9), 16, 8),
    ("called before the optimizer step", {}, CALL_PATTERNS["before the optimizer step"], 16, 8),
    ("called after filling with zeros", {}, CALL_PATTERNS["after filling with zeros"], 0, 0),
    ("guarded by its own rank_pattern", {}, Loop(guard=Guard(needs_rank_pattern=True)), 16, None),
    ("a counter that restarts", {}, Loop(counter=Counter(period=6)), 16, 10),
    ("a counter in micro-batches", {}, CALL_PATTERNS["counts micro-batches"], 8, 8),
    ("fractional target_r", {"target_r": 2.5}, Loop(), 10, 10),
    ("negative deltaT", {"deltaT": -2}, Loop(), 8, 8),
    (
        "fractional tfinal: no final cut after int(8 * (1 - 3 / 7.5) ** 3 + 8)",
        {"tfinal": 2.5, "deltaT": 5},
        Loop(),
        9,
        9,
    ),
    ("target_r=0", {"target_r": 0}, Loop(), 0, 0),
]

FAILED = [
    # what, fields, loop, exception, counter value
    ("target_r equal to init_r", {"target_r": 4}, Loop(), "RuntimeError", 4),
    ("target_r above init_r", {"target_r": 8}, Loop(), "RuntimeError", 4),
    ("target_r above init_r, no mask before T-F", {"target_r": 8, "deltaT": 100}, Loop(), "RuntimeError", 9),
    ("negative target_r", {"target_r": -1}, Loop(), "RuntimeError", 6),
    ("init_r=0", {"init_r": 0, "target_r": 0}, Loop(), "IndexError", 4),
    ("init_r=0 below target_r", {"init_r": 0}, Loop(), "IndexError", 4),
    ("deltaT=0", {"deltaT": 0}, Loop(), "ZeroDivisionError", 3),
    ("deltaT=0.0", {"deltaT": 0.0}, Loop(), "ZeroDivisionError", 3),
    ("deltaT=0, called only at T-F", {"deltaT": 0}, only(9), "ZeroDivisionError", 9),
    ("deltaT=None", {"deltaT": None}, Loop(), "TypeError", 3),
    ("deltaT as text", {"deltaT": "2"}, Loop(), "TypeError", 3),
    ("T-F skipped and no mask before", {"deltaT": 100}, every(2), "AttributeError", 10),
    ("every 5th step meets no mask", {}, every(5), "AttributeError", 10),
    ("called only at T-F", {}, only(9, 9), "KeyError", 9),
    ("starts at T-F", {}, only(9), "KeyError", 9),
    ("called only after T-F", {}, only(10), "AttributeError", 10),
    ("resumed beyond T-F", {}, Loop(counter=Counter(start=50)), "AttributeError", 50),
    ("after zero_grad", {}, CALL_PATTERNS["after zero_grad"], "TypeError", 0),
    ("before the first backward", {}, Loop(order=(A, B, S, Z)), "TypeError", 0),
    ("twice per step", {}, CALL_PATTERNS["twice per step"], "KeyError", 9),
    ("late crash: target_r", {**LONG, "target_r": 12}, Loop(), "RuntimeError", 25),
    ("late crash: default target_r", {**LONG, "init_r": 8, "target_r": 8}, Loop(), "RuntimeError", 25),
    ("late crash: target_r, one cut", {**LONG, "target_r": 12, "deltaT": 1000}, Loop(), "RuntimeError", 160),
    ("late crash: negative target_r", {**LONG, "target_r": -1}, Loop(), "RuntimeError", 105),
    ("late crash: deltaT=0", {**LONG, "deltaT": 0}, Loop(), "ZeroDivisionError", 21),
    ("late crash: twice per step", LONG, CALL_PATTERNS["twice per step"], "KeyError", 160),
    ("late crash: only at T-F", LONG, only(160), "KeyError", 160),
    ("late crash: T-F skipped", {**LONG, "deltaT": 1000}, only(161), "AttributeError", 161),
]


def named(rows: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", [pytest.param(row_as_plan(row), id=row[0]) for row in rows])


def row_as_plan(row: Any) -> Any:
    _, fields, loop, *expected = row
    return plan(loop, 14 if fields.get("total_step") == 200 else 4, **fields), *expected


@named(FINISHED)
def test_a_finished_run_leaves_these_ranks(row: Any) -> None:
    run, live, kept = row
    told = trace(run)
    assert (told.exception, told.failing_step, told.live, told.kept) == (None, None, live, kept)


@named(FAILED)
def test_a_failing_run_fails_at_this_step(row: Any) -> None:
    run, exception, step = row
    told = trace(run)
    assert (told.exception, told.failing_step) == (exception, step)


@named(FINISHED + FAILED)
def test_every_named_situation_is_what_peft_does(row: Any) -> None:
    assert disagreements([row[0]]) == (1, [])


@named(FAILED)
def test_the_message_is_the_gist_of_what_peft_says(row: Any) -> None:
    message = trace(row[0]).message
    said = allocator_oracle.run(row[0]).message
    assert message is not None
    assert said is not None
    for part in message.strip("'").split("..."):
        assert part in said


def test_a_right_run_masks_first_at_the_first_multiple_after_tinit_and_finalises() -> None:
    told = trace(plan(modules=4))
    assert (told.first_mask, told.finalised, told.initial, told.target, told.calls) == (4, True, 16, 8, 12)


def test_a_run_that_never_reaches_the_final_cut_is_not_finalised() -> None:
    assert trace(plan(tfinal=0, deltaT=2)).finalised is False


def test_the_failing_call_and_optimizer_step_are_counted_apart_from_the_counter() -> None:
    told = trace(plan(Loop(calls=2, counter=Counter(start=1))))
    assert (told.exception, told.failing_step, told.failing_optimizer_step, told.failing_call) == ("KeyError", 9, 8, 17)


def test_an_accumulating_loop_that_allocates_after_zero_grad_fails_at_its_last_micro_batch() -> None:
    told = trace(plan(Loop(order=(B, S, Z, A), calls=4)))
    assert (told.exception, told.failing_optimizer_step, told.failing_call) == ("TypeError", 0, 3)


OLD_RELEASES = [
    ("total_step lowered below tinit + tfinal", {"tinit": 2, "tfinal": 3, "total_step": 4}, "RuntimeError", 1),
    ("a window of no step", {"tinit": 9, "tfinal": 3}, "RuntimeError", 9),
    ("a final phase longer than the run", {"tfinal": 20}, "AttributeError", 0),
    ("the final cut at step 0 comes before any score", {"tfinal": 12}, "KeyError", 0),
]


@pytest.mark.parametrize(
    ("fields", "exception", "step"), [row[1:] for row in OLD_RELEASES], ids=[row[0] for row in OLD_RELEASES]
)
def test_schedules_without_a_window_fail_as_in_releases_that_accept_them(
    fields: dict[str, int], exception: str, step: int
) -> None:
    run = plan(Loop(steps=12), **fields)
    with pytest.raises(ValueError, match="budgeting phase"):
        AdaLoraConfig(**allocator_oracle.settings(run))
    told = trace(run)
    assert (told.exception, told.failing_step) == (exception, step)
    assert same(told, allocator_oracle.run(run, before_validation=True))


@pytest.mark.parametrize("name", CALL_PATTERNS)
@pytest.mark.parametrize("delta", [2, 5])
def test_real_training_with_adamw_ends_as_traced(name: str, delta: int) -> None:
    run = plan(CALL_PATTERNS[name], modules=3, deltaT=delta)
    assert same(trace(run), allocator_oracle.run_adamw(run))


# Jumping


VAST = 10**12


def test_a_vast_run_ends_like_a_short_one_and_counts_its_calls() -> None:
    told = trace(plan(modules=4, total_step=VAST))
    assert (told.exception, told.live, told.kept, told.calls, told.finalised) == (None, 8, 8, VAST, True)


@pytest.mark.parametrize(
    "loop",
    [
        *CALL_PATTERNS.values(),
        Loop(counter=Counter(period=3)),
        Loop(counter=Counter(period=VAST // 7)),
        Loop(counter=Counter(stride=0)),
        Loop(counter=Counter(start=VAST, stride=-1)),
        Loop(guard=Guard(every=1000, remainder=999), calls=4, counter=Counter(stride=4, call_stride=1)),
    ],
)
@pytest.mark.parametrize("target_r", [-1, 2, 8])
@pytest.mark.parametrize("delta", [1, 2, 2.5, 10**6 + 3, 10**13])
def test_no_run_is_stepped_through(loop: Loop, target_r: int, delta: float, monkeypatch: pytest.MonkeyPatch) -> None:
    visited = []
    iterate = machine._Run._iterate

    def counted(run: Any, offset: int, position: int) -> None:
        visited.append(position)
        iterate(run, offset, position)

    monkeypatch.setattr(machine._Run, "_iterate", counted)
    trace(plan(replace(loop, steps=VAST), target_r=target_r, deltaT=delta, tinit=1000, total_step=VAST))
    assert len(visited) < 200


def test_a_vast_run_with_a_negative_target_fails_at_the_first_mask_below_zero() -> None:
    run = plan(modules=4, target_r=-1, deltaT=7, tinit=0, total_step=VAST)
    told = trace(run)
    assert (told.exception, told.kept, told.failing_call) == ("RuntimeError", 0, told.failing_step)
    assert told.failing_step is not None
    assert told.failing_step % 7 == 0
    assert budget(run, told.failing_step) < 0 <= budget(run, told.failing_step - 7)


def test_a_vast_schedule_whose_first_budget_rounds_to_all_ranks_fails_at_once() -> None:
    run = plan(modules=4, tinit=0, deltaT=1, tfinal=0, total_step=2**53, init_r=1000, target_r=999)
    told = trace(run)
    assert budget(run, 1) == told.initial == 4000
    assert (told.exception, told.failing_step) == ("RuntimeError", 1)


def test_the_counter_may_restart_very_often() -> None:
    told = trace(plan(Loop(counter=Counter(period=5), steps=VAST), modules=4))
    assert (told.exception, told.kept, told.live, told.calls) == (None, 10, 8 + 2, VAST)


def test_gradients_of_an_earlier_step_serve_a_call_before_backward() -> None:
    served = Loop(order=(A, Z, B, S), guard=Guard(first=1))
    assert trace(plan(served, modules=4)).kept == 8
    assert trace(plan(replace(served, order=(Z, A, B, S)), modules=4)).exception == "TypeError"


fields = st.fixed_dictionaries(
    {
        "init_r": st.integers(0, 5),
        "target_r": st.integers(-3, 7) | st.floats(-2, 6),
        "tinit": st.integers(-5, 70) | st.floats(-5, 40),
        "tfinal": st.integers(-5, 70) | st.floats(-5, 40),
        "deltaT": st.integers(-9, 90) | st.sampled_from([0.0, 2.5, -0.75, 1.0, 3.2]),
        "total_step": st.integers(1, 150) | st.floats(0.5, 150),
    }
)
orders = (
    st.permutations([B, S, A, Z])
    | st.permutations([B, S, A])
    | st.permutations([B, S, A, F])
    | st.permutations([A, B, Z])
)
guards = st.integers(1, 9).flatmap(
    lambda every: st.builds(
        Guard,
        every=st.sampled_from([every, -every]),
        remainder=st.integers(-every, every),
        first=st.none() | st.integers(-10, 120),
        last=st.none() | st.integers(-10, 150),
    )
)
counters = st.builds(
    Counter,
    start=st.integers(-20, 160),
    stride=st.sampled_from([1, 1, 1, 2, 3, 0, -1, -2]),
    call_stride=st.integers(-2, 2),
    period=st.none() | st.integers(1, 70),
)
loops = st.builds(
    Loop,
    order=orders.map(tuple),
    counter=st.just(Counter()) | counters,
    guard=st.just(Guard()) | guards,
    calls=st.integers(0, 4),
    steps=st.none() | st.integers(-1, 200),
)


@hypothesis_settings(max_examples=1500, deadline=None)
@given(fields=fields, loop=loops, modules=st.integers(1, 3))
def test_jumping_and_stepping_agree(fields: dict[str, Any], loop: Loop, modules: int) -> None:
    run = plan(loop, modules, **fields)
    assert replace(trace(run), message=None) == step_through(run)


@hypothesis_settings(max_examples=300, deadline=None)
@given(fields=fields, step=st.integers(-10, 200))
def test_the_budget_is_bit_for_bit_that_of_peft(fields: dict[str, Any], step: int) -> None:
    run = plan(**{**fields, "deltaT": 1})
    peft = allocator_oracle.allocator(run)
    expected, _ = peft.budget_schedule(step)
    assert (budget(run, step), type(budget(run, step))) == (expected, type(expected))


# PEFT as the judge


def test_a_slice_of_the_exhaustive_grid_agrees_with_peft() -> None:
    compared, differing = disagreements(islice(grid(), 0, None, 331))
    assert differing == []
    assert compared > 1500


def test_random_long_runs_agree_with_peft() -> None:
    assert disagreements(random_plans(400, seed=2)) == (400, [])


# What cannot be traced


def test_everything_that_is_missing_is_named() -> None:
    values = {**plan().values, "total_step": Operation("*", (Symbol("steps"), Literal(2))), "tinit": UNKNOWN}
    with pytest.raises(Undetermined) as raised:
        trace(Plan(values, loop=UNKNOWN_LOOP))
    assert raised.value.names == {"steps", "tinit", "loop", "modules"}


def test_a_plan_that_was_told_its_witnesses_can_be_traced() -> None:
    unknown = Plan({**plan().values, "total_step": Symbol("steps")}, loop=UNKNOWN_LOOP)
    assert trace(unknown.assume({"steps": 12, "modules": 4, "loop": Loop()})) == trace(plan(modules=4))


@pytest.mark.parametrize("value", ["12", None, True, math.nan, math.inf, 10**400, [1]])
def test_what_no_allocator_can_count_with_is_named(value: object) -> None:
    with pytest.raises(Undetermined, match="total_step"):
        trace(plan(total_step=value))


@pytest.mark.parametrize("init_r", [-1, 4.0])
def test_ranks_that_cannot_be_wrapped_are_not_traced(init_r: float) -> None:
    with pytest.raises(Undetermined, match="init_r"):
        trace(plan(init_r=init_r))


def test_a_rank_pattern_of_the_users_own_is_not_traced() -> None:
    with pytest.raises(Undetermined, match="rank_pattern"):
        trace(plan(rank_pattern={}))


def test_a_null_rank_pattern_is_traced() -> None:
    assert trace(plan(rank_pattern=None)) == trace(plan())


@pytest.mark.parametrize(
    "loop",
    [
        Loop(guard=Guard(every=0)),
        Loop(counter=Counter(period=0)),
        Loop(calls=10**9),
    ],
)
def test_loops_that_cannot_run_are_not_traced(loop: Loop) -> None:
    with pytest.raises(Undetermined, match="loop"):
        trace(plan(loop))


def test_a_run_that_never_allocates_needs_only_ranks_and_modules() -> None:
    values = {"init_r": Literal(4), "target_r": Literal(2)}
    told = trace(Plan(values, loop=Loop(allocates=False), modules=3))
    assert (told.live, told.kept, told.initial, told.target, told.calls) == (12, None, 12, 6, 0)
