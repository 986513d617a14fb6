"""Whether several backward passes of a loop make one optimizer step, and how many."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.plan import Event
from adalint.readers.python_counters import rounds, texts
from adalint.readers.python_loop_guards import BOUNDARY, FINITE
from adalint.values import UNKNOWN, Kleene, Literal

if TYPE_CHECKING:
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_iterations import Happening, Iteration
    from adalint.readers.python_things import Things


def accumulation_of(iteration: Iteration, step: Happening, flow: Flow, things: Things) -> tuple[Kleene, int | None]:
    """Tell whether several backward passes make one optimizer step, and how many where that is literal."""
    backward = iteration.of(Event.BACKWARD)[0]
    if step.around.accumulating is not None:
        return _of_accelerator(step.around.accumulating, things, flow)
    inner = [loop for loop in backward.around.loops if loop not in step.around.loops]
    if inner:
        return True, rounds(inner[0], flow)
    only = texts(step.around) - texts(backward.around)
    tests = [test for test in step.around.tests if (ast.unparse(test.node), test.holds) in only]
    if not tests:
        return False, 1
    if all(FINITE.search(ast.unparse(test.node)) for test in tests):
        return False, 1
    for test in tests:
        every = _every(test.node, flow)
        if every is not None:
            return (False, 1) if every == 1 else (True, every or None)
    return (True, None) if any(BOUNDARY.search(ast.unparse(test.node)) for test in tests) else (UNKNOWN, None)


def _of_accelerator(context: ast.Call, things: Things, flow: Flow) -> tuple[Kleene, int | None]:
    made = things.made(context.func.value) if isinstance(context.func, ast.Attribute) else None
    if made is None:
        return UNKNOWN, None
    given = [one.value for one in made.keywords if one.arg == "gradient_accumulation_steps"]
    if not given:
        return (UNKNOWN, None) if made.args or any(one.arg is None for one in made.keywords) else (False, 1)
    worth = flow.value(given[0])
    if isinstance(worth, Literal) and isinstance(worth.value, int):
        return worth.value > 1, worth.value
    return UNKNOWN, None


def _every(test: ast.expr, flow: Flow) -> int | None:
    """Read `(i + 1) % n == 0`: n, 0 where it is not literal, None for other tests."""
    for part in ast.walk(test):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mod):
            worth = flow.value(part.right)
            return worth.value if isinstance(worth, Literal) and isinstance(worth.value, int) else 0
    return None


def is_per_micro_batch(call: Happening, step: Happening, iteration: Iteration) -> bool:
    """Tell whether the allocator is called with each backward pass although the optimizer steps less often."""
    backward = iteration.of(Event.BACKWARD)[0]
    if call.around.hooked is not None:
        return False
    if step.around.accumulating is not None:
        asked = any("sync_gradients" in ast.unparse(test.node) for test in call.around.tests)
        return call.around.accumulating is not None and not asked
    if set(backward.around.loops) - set(step.around.loops):
        return bool(set(call.around.loops) - set(step.around.loops))
    missing = texts(step.around) - texts(call.around)
    same = {ast.unparse(test.node) for test in call.around.tests}
    return bool(missing) and not any(BOUNDARY.search(text) or "%" in text for text in same)


def is_micro_loop(iteration: Iteration) -> bool:
    """Tell whether a round of the loop is one backward pass, of which only some end in a step."""
    return not iteration.of(Event.BACKWARD)[0].around.loops
