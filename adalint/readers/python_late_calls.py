"""The one allocator call of a file, where it stands below the loop that trains, which has cleared the gradients."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.plan import Event
from adalint.readers.python_allocator_calls import model_of, wrap_of
from adalint.readers.python_iterations import ALLOCATE
from adalint.readers.python_moments import is_in_test
from adalint.readers.python_scopes import dotted
from adalint.readers.python_shapes import block_of
from adalint.readers.python_step_hooks import optimizer_of
from adalint.training import AllocatorCall, Place, Training, Way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.python_iterations import Iteration, Walker


def below_a_loop(call: ast.Call, iterations: Sequence[Iteration], walker: Walker) -> Training | None:
    """Describe a call that follows a loop whose rounds all end without gradients; None for other calls."""
    file_map = walker.map
    statement = file_map.statement_of(call)
    parent = None if statement is None else file_map.parent(statement)
    block = None if parent is None or statement is None else block_of(parent, statement)
    if block is None or not isinstance(statement, ast.Expr) or statement.value is not call:
        return None
    if len(file_map.attributes_named(ALLOCATE)) > 1 or is_in_test(call, file_map):
        return None
    at = block.index(statement)
    for iteration in iterations:
        owner = iteration.owner
        if owner not in block[:at] or not isinstance(owner, ast.For) or not _clears_at_last(iteration):
            continue
        between = walker.passing(owner, block[block.index(owner) + 1 : at])
        wrap = wrap_of(model_of(call), walker.things)
        is_its_model = wrap is not None and any(wrap_of(func, walker.things) is wrap for func in iteration.called)
        if between.happenings or between.opaque or not is_its_model:
            continue
        span = file_map.span(call)
        stands = file_map.span(statement)
        places = [
            Place(one.event, file_map.span(one.node), file_map.span(one.statement)) for one in iteration.happenings
        ]
        return Training(
            Way.MANUAL,
            span,
            places=(*places, Place(Event.ALLOCATE, span, stands)),
            call=AllocatorCall(span, stands, dotted(model_of(call) or call.func)),
            reached=True,
            anchored=False,
        )
    return None


def _clears_at_last(iteration: Iteration) -> bool:
    """Tell whether each round of a loop clears the gradients of its one optimizer after its last backward pass."""
    jumps = (ast.Break, ast.Return, ast.Continue, ast.Raise)
    if iteration.opaque or any(isinstance(part, jumps) for one in iteration.owner.body for part in ast.walk(one)):
        return False
    steps = iteration.of(Event.STEP)
    backwards = [at for at, one in enumerate(iteration.happenings) if one.event is Event.BACKWARD]
    if len(steps) != 1 or not isinstance(steps[0].node, ast.Call) or _is_conditional(iteration):
        return False
    optimizer = optimizer_of(steps[0].node)
    cleared = [one.node for one in iteration.happenings[backwards[-1] :] if one.event is Event.ZERO_GRAD]
    return optimizer is not None and any(
        isinstance(one, ast.Call)
        and isinstance(one.func, ast.Attribute)
        and ast.unparse(one.func.value) == ast.unparse(optimizer)
        for one in cleared
    )


def _is_conditional(iteration: Iteration) -> bool:
    arounds = [one.around for one in iteration.happenings]
    return any(one.tests or one.loops or one.accumulating or one.inlined or one.swallowed for one in arounds)
