"""How many optimizer steps the loops of a file make, as it could be written above them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.readers.python_counters import index_of, loops_around, unwrapped
from adalint.readers.python_moments import every_round
from adalint.readers.python_rounds import factor_of, own_parts
from adalint.readers.python_scopes import FUNCTIONS
from adalint.readers.python_shapes import given_argument, last_name
from adalint.site import RUN_LENGTH_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.python_flow import Flow
    from adalint.readers.python_iterations import Happening, Iteration


def steps_before(iteration: Iteration, step: Happening, top: ast.stmt, flow: Flow) -> str | None:
    """Write the number of optimizer steps that loops make, as it could stand directly above the outermost, `top`.

    A loop that ends at `step >= max_train_steps` makes no more than that. None where it may end early otherwise, skips
    rounds or does not tell its length, where steps are made under a condition that is none of the usual ones, or a name
    changes within.
    """
    loops = [iteration.owner, *loops_around(iteration.owner, flow.map)]
    if not every_round(loops, flow.map):
        return None
    ends = any(isinstance(part, ast.Break | ast.Return) for loop in loops for part in own_parts(loop))
    is_open = any(isinstance(loop, ast.While) for loop in loops)
    if not ends and not is_open:
        return _product(loops, step, top, flow)
    last = _last_step(loops, top, flow)
    if last is None or is_open:
        return last
    product = _product(loops, step, top, flow)
    return None if product is None else f"min({last}, {product})"


def _product(loops: Sequence[ast.AST], step: Happening, top: ast.stmt, flow: Flow) -> str | None:
    """Write the rounds of all loops, those of the innermost as its optimizer steps."""
    texts = []
    for loop in loops:
        factor = factor_of(loop.iter, flow) if isinstance(loop, ast.For) else None
        seen = None if factor is None else _seen_from(factor[1], top, flow)
        if factor is None or seen is None or not _holds_within(seen, top, flow):
            return None
        texts.append(f"len({ast.unparse(seen)})" if factor[0].startswith("len(") else ast.unparse(seen))
    per_epoch = _steps_of(texts[0], step, loops[0], top, flow)
    return None if per_epoch is None else " * ".join([per_epoch, *texts[1:]])


def _seen_from(node: ast.expr, top: ast.stmt, flow: Flow) -> ast.expr | None:
    """Follow a parameter of a function that trains one epoch to what the loop over epochs gives it."""
    frame = flow.map.frame_of(node)
    if frame is flow.map.frame_of(top) or not isinstance(frame, FUNCTIONS):
        return node
    callers = flow.map.callers_of(frame)
    if len(callers) != 1 or not isinstance(node, ast.Name) or flow.map.is_method(frame):
        return None
    return given_argument(frame, callers[0], node.id, bound=False)


def _last_step(loops: Sequence[ast.AST], top: ast.stmt, flow: Flow) -> str | None:
    """Write the length at which all breaks of some loops are made: `max_train_steps` of `step >= max_train_steps`."""
    tests: list[ast.expr | None] = [loop.test for loop in loops if isinstance(loop, ast.While)]
    for loop in loops:
        for part in ast.walk(loop):
            if isinstance(part, ast.Return | ast.Break):
                around = flow.map.parent(part)
                tests.append(around.test if isinstance(around, ast.If) and part in around.body else None)
    found = {ast.unparse(length) for test in tests if (length := _asked_length(test, top, flow)) is not None}
    is_sure = len(found) == 1 and all(_asked_length(test, top, flow) is not None for test in tests)
    return found.pop() if is_sure else None


def _asked_length(test: ast.expr | None, top: ast.stmt, flow: Flow) -> ast.expr | None:
    """Find the length of the run in a test that asks whether it is reached."""
    match test:
        case ast.Compare(
            left=ast.Name() | ast.Attribute(),
            ops=[ast.GtE() | ast.Eq() | ast.Lt()],
            comparators=[ast.Name() | ast.Attribute() as length],
        ) if last_name(length) in RUN_LENGTH_NAMES and _holds_within(length, top, flow):
            return length
    return None


def _steps_of(batches: str, step: Happening, loop: ast.AST, top: ast.stmt, flow: Flow) -> str | None:
    """Write how many steps a loop over so many batches makes: all, or one for every few, the rest counted or not."""
    around = step.around
    if around.loops:
        return None
    context = around.accumulating
    if context is not None:
        is_alone = not around.tests and isinstance(context.func, ast.Attribute)
        # The last batch of a loader makes a step, too, where accelerate has prepared the loader.
        prepared = isinstance(loop, ast.For) and _is_prepared(loop.iter, flow)
        if not is_alone or not prepared or not isinstance(context.func, ast.Attribute):
            return None
        return f"-(-{batches} // {ast.unparse(context.func.value)}.gradient_accumulation_steps)"
    if not around.tests:
        return batches
    index = index_of(loop, flow)
    if index is None or index.start != 0 or len(around.tests) > 1 or not around.tests[0].holds:
        return None
    test, is_rounded_up = around.tests[0].node, False
    match test:
        case ast.BoolOp(op=ast.Or(), values=[test, last]) if _is_last(last, index.name, batches):
            is_rounded_up = True
    match test:
        case ast.Compare(
            left=ast.BinOp(
                left=ast.BinOp(left=ast.Name(id=name), op=ast.Add(), right=ast.Constant(value=1)),
                op=ast.Mod(),
                right=ast.Name() | ast.Attribute() | ast.Constant(value=int()) as every,
            ),
            ops=[ast.Eq()],
            comparators=[ast.Constant(value=0)],
        ) if name == index.name and _holds_within(every, top, flow):
            text = ast.unparse(every)
            return f"-(-{batches} // {text})" if is_rounded_up else f"({batches} // {text})"
    return None


def _is_last(test: ast.expr, index: str, batches: str) -> bool:
    """Tell whether a test asks for the last round of a loop."""
    return ast.unparse(test) in {
        f"{index} == {batches} - 1",
        f"{index} + 1 == {batches}",
        f"{index} >= {batches} - 1",
        f"{index} + 1 >= {batches}",
    }


def _is_prepared(iterated: ast.expr, flow: Flow) -> bool:
    """Tell whether a loop goes through a loader that accelerate has prepared."""
    inner = unwrapped(iterated, flow)
    match inner:
        case ast.Call(func=ast.Name(id="enumerate"), args=[first, *_]):
            inner = unwrapped(first, flow)
    if not isinstance(inner, ast.Name):
        return False
    made = [getattr(one.node, "value", None) for one in flow.map.bindings(inner.id, inner)]
    return any(isinstance(one, ast.Call) and last_name(one.func) == "prepare" for one in made)


def _holds_within(node: ast.expr, top: ast.stmt, flow: Flow) -> bool:
    """Tell whether an expression has its value before a loop begins, and keeps it while the loop runs."""
    inside = set(ast.walk(top))
    stored = {part.attr for part in inside if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)}
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and part.attr in stored:
            return False
        if isinstance(part, ast.Name):
            bindings = flow.map.bindings(part.id, top)
            if any(one.node in inside or getattr(one.node, "lineno", 0) >= top.lineno for one in bindings):
                return False
            if flow.map.owner_of(part.id, part)[0] is not flow.map.owner_of(part.id, top)[0]:
                return False
    return True
