"""Where the allocator's call would stand in a loop that has none, with which number, and how long that loop runs."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.plan import Event
from adalint.readers.python_counters import Around, Circumstances, counted_by, counters_in, loops_around, repeats
from adalint.readers.python_moments import in_comprehension
from adalint.readers.python_scopes import FUNCTIONS
from adalint.readers.python_shapes import given_argument
from adalint.readers.python_steps import steps_before
from adalint.source import Span
from adalint.training import Counting, Handed, Insertion
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_iterations import Happening, Iteration, Repeated
    from adalint.readers.python_things import Things
    from adalint.values import Kleene

_NAMES: Final = ("global_step", "adalora_step", "allocator_step")
"""What a new counter is called: the first that the file does not have."""

_ITERATORS: Final = ("allocator_steps", "adalora_steps")
"""The same where it is handed to a function, as an iterator."""


def insertion(
    iteration: Iteration, called: ast.expr, circumstances: Circumstances, accumulates: Kleene, things: Things
) -> Insertion | None:
    """Find where the call belongs, below the last step of an optimizer; None where a round's steps differ.

    `called` is the model where the loop calls it.
    """
    flow = things.flow
    step, last = circumstances.step, iteration.of(Event.STEP)[-1]
    if accumulates is UNKNOWN or last.around != step.around:
        return None
    if any(in_comprehension(one, flow.map) for one in (iteration.owner, *last.around.inlined)):
        return None  # a comprehension makes the rounds
    if flow.map.frame_of(called) is not flow.map.frame_of(last.node):
        return None
    owner = ast.unparse(called)
    accelerator = _accelerator_of(called, things)
    owner = owner if accelerator is None else f"{accelerator}.unwrap_model({owner})"
    boundary = None
    if step.around.accumulating is not None:
        context = step.around.accumulating.func
        boundary = f"{ast.unparse(context.value)}.sync_gradients" if isinstance(context, ast.Attribute) else None
        if boundary is None:
            return None
    after = flow.map.span(last.statement)
    frame = flow.map.frame_of(last.node)
    is_helper = frame is not flow.map.frame_of(iteration.owner)
    top = None if is_helper else _top(iteration, flow)
    place = Insertion(owner, "", 0, after, boundary)
    if top is not None:
        place = replace(place, loop=flow.map.span(top), length=steps_before(iteration, step, top, flow))
    for name in counters_in(iteration):
        if is_helper and not (isinstance(name, ast.Attribute) and _share_a_class(frame, iteration.owner, flow)):
            continue  # a name of the loop's is none of the function's
        number = counted_by(name, last, iteration, circumstances, flow)
        if number.counting is Counting.STEPS and number.start in {0, 1}:
            return replace(place, counter=ast.unparse(name), start=number.start)
    names = _ITERATORS if top is None else _NAMES
    fresh = next((name for name in names if name.encode() not in flow.map.source.content), None)
    if fresh is None:
        return None
    if top is None:
        return _handed(replace(place, counter=fresh, is_new=True), called, iteration, step, things)
    return None if _may_be_one_epoch(iteration.owner, top, flow) else replace(place, counter=fresh, is_new=True)


def _share_a_class(frame: ast.AST, owner: ast.AST, flow: Flow) -> bool:
    """Tell whether a method, and the loop that calls it, have the same `self`."""
    own = flow.map.class_of(frame)
    return own is not None and own is flow.map.class_of(flow.map.frame_of(owner))


def _handed(
    place: Insertion, called: ast.expr, iteration: Iteration, step: Happening, things: Things
) -> Insertion | None:
    """Have the counter made above a loop over epochs, and handed to the function that trains one of them."""
    flow = things.flow
    frame = flow.map.frame_of(iteration.of(Event.STEP)[-1].node)
    callers = flow.map.callers_of(frame) if isinstance(frame, FUNCTIONS) else []
    if len(callers) != 1 or not isinstance(frame, FUNCTIONS) or not isinstance(called, ast.Name):
        return None
    [caller] = callers
    owners = (iteration.owner, *loops_around(iteration.owner, flow.map))
    inner = [one for one in owners if one is not iteration.owner and flow.map.frame_of(one) is frame]
    if len(step.around.inlined) > 1 or (step.around.inlined and step.around.inlined[0] is not callers[0]):
        return None
    loops = list(loops_around(caller, flow.map))
    outer = flow.map.frame_of(caller)
    model = given_argument(frame, caller, called.id, bound=False)
    args = frame.args
    plain = not (args.defaults or args.kwonlyargs or args.vararg or args.kwarg or flow.map.is_method(frame))
    if inner or not loops or not plain or not args.args or not isinstance(model, ast.Name | ast.Attribute):
        return None
    if _accelerator_of(model, things) is not None:
        return None
    top = loops[-1]
    if any(flow.map.frame_of(one) is not outer for one in loops) or not isinstance(top, ast.For | ast.While):
        return None
    if isinstance(outer, FUNCTIONS) and len(flow.map.callers_of(outer)) > 1:
        return None
    parameter = args.args[-1]
    stop = flow.map.source.offset_at(parameter.end_lineno or 0, parameter.end_col_offset or 0)
    last = max([*map(flow.map.span, caller.args), *map(flow.map.span, caller.keywords)]).stop
    handed = Handed(Span(stop, stop), Span(last, last))
    length = steps_before(iteration, step, top, flow)
    loop = flow.map.span(top)
    return replace(place, loop=loop, length=length, handed=handed, outside=ast.unparse(model))


def _top(iteration: Iteration, flow: Flow) -> ast.stmt | None:
    """Find the outermost loop around, where all of them stand in one function, which starts them once in a run."""
    frame = flow.map.frame_of(iteration.owner)
    loops = [iteration.owner, *loops_around(iteration.owner, flow.map)]
    if any(flow.map.frame_of(one) is not frame or not isinstance(one, _LOOPS) for one in loops):
        return None
    if isinstance(frame, FUNCTIONS) and len(flow.map.callers_of(frame)) > 1:
        return None
    top = loops[-1]
    return top if isinstance(top, _LOOPS) and repeats(top, flow) is Around.ONCE else None


_LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)


def _may_be_one_epoch(owner: Repeated, top: ast.stmt, flow: Flow) -> bool:
    """Tell whether a function goes once through its batches and is called elsewhere, perhaps again and again."""
    frame = flow.map.frame_of(top)
    return owner is top and isinstance(frame, FUNCTIONS) and not flow.map.callers_of(frame)


def _accelerator_of(model: ast.expr, things: Things) -> str | None:
    """Name the accelerator that has prepared a model."""
    if isinstance(model, ast.Name):
        for binding in things.map.bindings(model.id, model):
            match binding.node:
                case ast.Assign(value=ast.Call(func=ast.Attribute(value=owner, attr="prepare"))):
                    return ast.unparse(owner)
    return None
