"""The conditions around an allocator call that the optimizer's step does not share."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.plan import Guard
from adalint.readers.python_counters import argument_of, index_of, texts
from adalint.readers.python_scopes import dotted
from adalint.training import Counting, GuardKind, GuardPlace
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.python_counters import Counted, Index
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_iterations import Happening, Iteration, Test

FINITE: Final = re.compile(r"get_scale|found_inf|step_was_skipped|isfinite|isnan|isinf|overflow|skipped")
"""What asks whether the gradients were finite."""

BOUNDARY: Final = re.compile(r"sync_gradients|accum|is_boundary|boundary")
"""What asks whether an accumulation ends."""

_TYPES: Final = re.compile(r"^(hasattr|isinstance|callable)\(")


def guards_around(
    call: Happening, step: Happening, iteration: Iteration, flow: Flow, index: Index | None = None
) -> list[GuardPlace]:
    """List the conditions around the call that the optimizer's step does not share.

    `index` counts the rounds, where the owner of the iteration is not the loop itself.
    """
    shared = texts(step.around)
    index = index or index_of(iteration.owner, flow)
    return [
        GuardPlace(
            _kind(test, call, iteration, index, flow),
            flow.map.span(test.node),
            flow.map.span(test.statement),
            1 if _counts_what_passes(test, call, iteration) else _period(test, index, flow),
        )
        for test in call.around.tests
        if (ast.unparse(test.node), test.holds) not in shared
    ]


def _kind(test: Test, call: Happening, iteration: Iteration, index: Index | None, flow: Flow) -> GuardKind:
    text = ast.unparse(test.node)
    seen = f"{text} {_explained(test.node, flow)}"
    if _TYPES.search(text):
        return GuardKind.OTHER
    # One of several ways to the call shuts nothing out.
    if "rank_pattern" in text and not isinstance(test.node, ast.BoolOp | ast.IfExp):
        return GuardKind.RANK_PATTERN
    if FINITE.search(seen):
        return GuardKind.FINITE
    if BOUNDARY.search(seen):
        return GuardKind.BOUNDARY
    argument = argument_of(call)
    counters = {count.name for count in iteration.counts} | ({dotted(argument)} if argument is not None else set())
    counters |= set() if index is None else {index.name}
    names = {dotted(part) for part in ast.walk(test.node) if isinstance(part, ast.Name | ast.Attribute)}
    return GuardKind.STEP if (counters - {""}) & names else GuardKind.OTHER


def _counts_what_passes(test: Test, call: Happening, iteration: Iteration) -> bool:
    """Tell whether the number that the call is given is raised under the very same test: a boundary of the author's."""
    argument = argument_of(call)
    name = "" if argument is None else dotted(argument)
    asked = (ast.unparse(test.node), test.holds)
    return any(count.name == name and asked in texts(count.around) for count in iteration.counts)


def _period(test: Test, index: Index | None, flow: Flow) -> int:
    """Tell how many rounds of a loop `(index + 1) % n == k` lets pass for one in which it holds; 1 for other tests."""
    match test.node, test.holds:
        case (
            ast.Compare(left=ast.BinOp() as rest, ops=[ast.Eq()], comparators=[ast.Constant(value=int())]),
            True,
        ) | (ast.Compare(left=ast.BinOp() as rest, ops=[ast.NotEq()], comparators=[ast.Constant(value=int())]), False):
            pass
        case ast.BinOp() as rest, False:
            pass
        case _:
            return 1
    number = rest.left
    if isinstance(number, ast.BinOp) and isinstance(number.op, ast.Add | ast.Sub):
        number = number.left
    if index is None or index.stride is None or not isinstance(rest.op, ast.Mod) or dotted(number) != index.name:
        return 1
    every = flow.value(rest.right)
    if not isinstance(every, Literal) or type(every.value) is not int or every.value < 1:
        return 1
    return every.value // math.gcd(every.value, index.stride)


def _explained(test: ast.expr, flow: Flow) -> str:
    """Write what the names in a test were assigned, so that `skipped = scaler.get_scale() < scale` is understood."""
    found = []
    for part in ast.walk(test):
        if isinstance(part, ast.Name):
            values = [one.value for one in flow.map.bindings(part.id, part) if one.value is not None]
            found += [ast.unparse(value) for value in values if len(values) <= 3]
    return " ".join(found)


def traced_guard(call: Happening, guards: Sequence[GuardPlace], number: Counted, flow: Flow) -> Guard | None:
    """Give the guard for the trace; None when a condition is none that it knows."""
    guard = Guard()
    for place in guards:
        if place.kind is GuardKind.RANK_PATTERN:
            guard = replace(guard, needs_rank_pattern=True)
        elif place.kind is GuardKind.STEP:
            test = next(one for one in call.around.tests if flow.map.span(one.node) == place.part)
            read = _with_step_guard(guard, test, call, flow)
            if read is None or number.counting is not Counting.STEPS:
                return None
            guard = read
        elif place.kind not in {GuardKind.FINITE, GuardKind.BOUNDARY}:
            return None
    return guard


def _with_step_guard(guard: Guard, test: Test, call: Happening, flow: Flow) -> Guard | None:
    """Add `step % n == k`, `step > n` and the like, where they ask the very number that the call is given."""
    argument = argument_of(call)
    if argument is None or not test.holds:
        return None
    asked = ast.unparse(argument)
    match test.node:
        case ast.Compare(
            left=ast.BinOp(left=left, op=ast.Mod(), right=every), ops=[ast.Eq()], comparators=[remainder]
        ) if ast.unparse(left) == asked:
            numbers = [flow.value(every), flow.value(remainder)]
            if all(isinstance(one, Literal) and type(one.value) is int and one.value >= 0 for one in numbers):
                first, second = (one.value for one in numbers if isinstance(one, Literal))
                return replace(guard, every=first, remainder=second) if first > 0 else None
        case ast.Compare(left=left, ops=[op], comparators=[bound]) if ast.unparse(left) == asked:
            worth = flow.value(bound)
            if not (isinstance(worth, Literal) and type(worth.value) is int):
                return None
            match op:
                case ast.Gt() | ast.GtE():
                    return replace(guard, first=worth.value + isinstance(op, ast.Gt))
                case ast.Lt() | ast.LtE():
                    return replace(guard, last=worth.value - isinstance(op, ast.Lt))
    return None
