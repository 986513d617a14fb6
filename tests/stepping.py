"""The schedule machine without its jumps: every call of a run, one after the other, as a check on the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import allocator_oracle

from adalint.plan import Event
from adalint.trace import Trace, budget

if TYPE_CHECKING:
    from adalint.plan import Plan


def step_through(plan: Plan) -> Trace:
    """Trace a concrete plan call by call."""
    fields = allocator_oracle.settings(plan)
    modules = plan.modules or 0
    initial, target = fields["init_r"] * modules, fields["target_r"] * modules
    end = fields["total_step"] - fields["tfinal"]
    loop, counter = plan.loop, plan.loop.counter
    gradients = scores = 0
    live, kept, first_mask, finalised, calls = initial, None, None, False, 0

    def result(exception: str | None, step: int | None, at: int | None) -> Trace:
        failing_call = None if exception is None else calls
        facts = (calls, live, kept, initial, target, finalised)
        return Trace(exception, None, step, failing_call, at, first_mask, *facts)

    for optimizer_step in range(int(fields["total_step"]) if loop.steps is None else loop.steps):
        call = 0
        for event in allocator_oracle.events(loop):
            if event is not Event.ALLOCATE:
                gradients = {Event.BACKWARD: 2, Event.ZERO_GRAD: 0, Event.ZERO_FILL: 1}.get(event, gradients)
                if event is Event.STEP and gradients == 2:
                    live = initial
                continue
            position = optimizer_step % counter.period if counter.period else optimizer_step
            step = counter.start + counter.stride * position + counter.call_stride * call
            call += 1
            if not allocator_oracle.guard_opens(loop, step):
                continue
            if step > end:
                if kept is None:
                    return result("AttributeError", step, optimizer_step)
                live = min(live, kept)
            else:
                if step < end:
                    if gradients == 0:
                        return result("TypeError", step, optimizer_step)
                    scores = max(scores, gradients)
                mask = step == end
                if step > fields["tinit"]:
                    if fields["deltaT"] == 0:
                        return result("ZeroDivisionError", step, optimizer_step)
                    mask |= step % fields["deltaT"] == 0
                if mask:
                    if scores == 0:
                        return result("KeyError", step, optimizer_step)
                    left = budget(plan, step)
                    if initial == 0:
                        return result("IndexError", step, optimizer_step)
                    if not 0 < initial - left <= initial:
                        return result("RuntimeError", step, optimizer_step)
                    kept = left if scores == 2 else 0
                    live = min(live, kept)
                    first_mask = step if first_mask is None else first_mask
                    if step == end:
                        finalised, scores = True, 0
            calls += 1
    return result(None, None, None)
