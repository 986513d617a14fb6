"""What happens in a training loop, in order: its events, and the calls of the allocator that its conditions let by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adalint.plan import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adalint.plan import Loop


def happenings(loop: Loop, steps: range, rank_pattern: Callable[[], object]) -> Iterator[tuple[int, Event | int]]:
    """List what happens in optimizer steps (from 0): the step, with an event or the counter of a call.

    `rank_pattern` is asked before every call, since a condition may wait for it.
    """
    events = spread(loop)
    for optimizer_step in steps:
        call = 0
        for event in events:
            if event is not Event.ALLOCATE:
                yield optimizer_step, event
                continue
            step = counted(loop, optimizer_step, call)
            call += 1
            if opens(loop, step, rank_pattern()):
                yield optimizer_step, step


def spread(loop: Loop) -> tuple[Event, ...]:
    """List the events of one optimizer step, with the backward pass and the call beside it once for each call."""
    order = loop.order
    if loop.calls < 1 or loop.allocates is False or Event.ALLOCATE not in order:
        return tuple(event for event in order if event is not Event.ALLOCATE)
    pair = tuple(event for event in order if event in (Event.BACKWARD, Event.ALLOCATE))
    at = order.index(pair[0])
    return (*order[:at], *(pair * (loop.calls - 1)), *order[at:])


def counted(loop: Loop, optimizer_step: int, call: int) -> int:
    """Give the number that a call gets."""
    counter = loop.counter
    position = optimizer_step if counter.period is None else optimizer_step % counter.period
    return counter.start + counter.stride * position + counter.call_stride * call


def opens(loop: Loop, step: int, rank_pattern: object) -> bool:
    """Tell whether the condition around the call holds."""
    guard = loop.guard
    if guard.needs_rank_pattern and rank_pattern is None:
        return False
    if (guard.first is not None and step < guard.first) or (guard.last is not None and step > guard.last):
        return False
    return step % guard.every == guard.remainder
