"""The grid of small schedules, the ways to call the allocator, and long random ones."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import allocator_oracle

from adalint import trace as machine
from adalint.plan import Counter, Event, Guard, Loop, Plan
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from adalint.trace import Trace
    from adalint.values import Number

B, S, A, Z, F = Event.BACKWARD, Event.STEP, Event.ALLOCATE, Event.ZERO_GRAD, Event.ZERO_FILL

CALL_PATTERNS = {
    "from 0": Loop(),
    "from 1": Loop(counter=Counter(start=1)),
    "never": Loop(allocates=False),
    "every second step": Loop(guard=Guard(every=2)),
    "late start": Loop(guard=Guard(first=3)),
    "twice per step": Loop(calls=2),
    "after zero_grad": Loop(order=(B, S, Z, A)),
    "before the optimizer step": Loop(order=(B, A, S, Z)),
    "after filling with zeros": Loop(order=(B, S, F, A)),
    "before backward": Loop(order=(A, Z, B, S), guard=Guard(first=1)),
    "counter restarts": Loop(counter=Counter(period=5), steps=11),
    "counts micro-batches": Loop(calls=2, counter=Counter(stride=2, call_stride=1)),
    "stops early": Loop(guard=Guard(last=4)),
}

INITIAL_RANKS = range(1, 5)
TARGET_RANKS = range(-1, 6)
LAST_STEPS = range(1, 9)


def plan(loop: Loop = CALL_PATTERNS["from 0"], modules: int = 2, **fields: object) -> Plan:
    """Make a concrete plan; the schedule fields that are not given are those of SEMANTICS' 12-step runs."""
    values = {"init_r": 4, "target_r": 2, "tinit": 2, "tfinal": 3, "deltaT": 2, "total_step": 12} | fields
    return Plan({name: Literal(value) for name, value in values.items()}, loop=loop, modules=modules)


@dataclass(frozen=True, slots=True)
class Window:
    """The fields of a schedule but its ranks."""

    total_step: int
    tfinal: int
    tinit: int
    deltaT: int


def windows() -> Iterator[Window]:
    """List the constructible schedules with tinit, tfinal and deltaT around their edges, ranks aside."""
    for total in LAST_STEPS:
        for tfinal in sorted({-1, 0, 1, 2, total - 1, total}):
            end = total - tfinal
            for tinit in sorted({-2, -1, 0, 1, 2, end - 2, end - 1}):
                if tinit >= end:
                    continue
                for delta in sorted({-2, -1, 0, 1, 2, 3, end - tinit, end - tinit + 1, total + 1}):
                    yield Window(total, tfinal, tinit, delta)


def grid(patterns: Iterable[str] = CALL_PATTERNS) -> Iterator[Plan]:
    """List every small schedule in every way of calling the allocator."""
    for name, window, init_r, target_r in product(patterns, windows(), INITIAL_RANKS, TARGET_RANKS):
        yield plan(
            CALL_PATTERNS[name],
            init_r=init_r,
            target_r=target_r,
            tinit=window.tinit,
            tfinal=window.tfinal,
            deltaT=window.deltaT,
            total_step=window.total_step,
        )


def random_plans(count: int, seed: int, longest: int = 120) -> Iterator[Plan]:
    """Draw constructible long schedules, fractional ones among them, and loops of every kind."""
    dice = random.Random(seed)
    while count:
        total = dice.randint(9, longest)
        tfinal: Number = dice.choice([0, 0, 1, dice.randint(-3, total), dice.randint(0, total // 2)])
        tinit: Number = dice.choice([0, 0, dice.randint(-3, total), dice.randint(0, total // 2)])
        if dice.random() < 0.1:
            tfinal, tinit = tfinal + dice.choice([0.0, 0.5, 0.1]), tinit + dice.choice([0.0, 0.5, 0.3])
        init_r, modules = dice.randint(1, 6), dice.randint(1, 3)
        if tinit >= total - tfinal:
            continue
        count -= 1
        yield plan(
            random_loop(dice, total),
            modules,
            init_r=init_r,
            target_r=dice.choice(
                [dice.randint(0, init_r), dice.randint(-3, 7), dice.uniform(-1.5, 6), 2.5, init_r - 0.1]
            ),
            tinit=tinit,
            tfinal=tfinal,
            deltaT=dice.choice([1, 2, 3, dice.randint(1, 20), -dice.randint(1, 9), total, 0, 2.5, 0.75]),
            total_step=total,
        )


def random_loop(dice: random.Random, total: int) -> Loop:
    """Draw a loop: any usual order of events, any counter, guard, number of calls and of steps."""
    usual = [(B, S, A, Z)] * 6
    order = dice.choice(
        [*usual, (Z, B, S, A), (B, A, S, Z), (Z, B, A, S), (A, Z, B, S), (A, B, S), (B, S, F, A), (B, S, Z, A)]
    )
    calls = dice.choice([1, 1, 1, 1, 2, 3])
    micro = dice.random() < 0.5
    every = dice.choice([1, 1, 1, 1, 2, 3, 7])
    return Loop(
        order=order,
        counter=Counter(
            start=dice.choice([0, 0, 0, 1, 1, dice.randint(-2, total + 2)]),
            stride=dice.choice([1, 1, 1, 1, 2, 0, -1]) if not micro else calls,
            call_stride=1 if micro else 0,
            period=dice.choice([None, None, None, dice.randint(1, total)]),
        ),
        guard=Guard(
            every=every,
            remainder=dice.randrange(every),
            first=dice.choice([None, None, None, dice.randint(0, total)]),
            last=dice.choice([None, None, None, dice.randint(0, total)]),
        ),
        calls=calls,
        steps=dice.choice([None, None, None, dice.randint(0, total + 5)]),
    )


def disagreements(plans: Iterable[Plan], predict: Callable[[Plan], Trace] = machine.trace) -> tuple[int, list[str]]:
    """Run plans through PEFT and through the machine; count them, and describe those that end differently."""
    compared, differing = 0, []
    for each in plans:
        told, seen = predict(each), allocator_oracle.run(each)
        compared += 1
        if not same(told, seen):
            differing.append(f"{allocator_oracle.settings(each)} {each.modules} {each.loop}\n  {told}\n  {seen}")
    return compared, differing


def same(told: Trace, seen: allocator_oracle.Outcome) -> bool:
    """Compare everything that PEFT shows: exception, its step and call, calls made, live and kept ranks."""
    return all(
        getattr(told, fact) == getattr(seen, fact)
        for fact in ("exception", "failing_step", "failing_call", "failing_optimizer_step", "calls", "live", "kept")
    )
