"""When things of a Python file run: before or after each other, in one branch or in two that exclude each other."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from adalint.readers.python_scopes import FUNCTIONS
from adalint.readers.python_shapes import arms_of, block_of, ends, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adalint.readers.python_scopes import FileMap

EXPECTED_FAILURES: Final = frozenset(
    {"raises", "warns", "deprecated_call", "assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex"}
)

LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)
_CALLS_UP: Final = 4
"""So many functions are left for the place that calls them."""


def is_judged(call: ast.AST, file_map: FileMap) -> bool:
    """Leave out what is expected to fail, what only a type checker sees, and what nothing reaches."""
    child: ast.AST = call
    for parent in file_map.parents(call):
        block = block_of(parent, child)
        if block is not None and any(ends([one]) for one in block[: block.index(child)]):  # type: ignore[arg-type]
            return False
        match parent:
            case ast.With(items=items) | ast.AsyncWith(items=items):
                if any(expects_failure(item.context_expr) for item in items):
                    return False
            case ast.Call() if expects_failure(parent):
                return False
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"), body=body):
                if child in body:
                    return False
        child = parent
    return True


def expects_failure(node: ast.expr) -> bool:
    """Tell whether a call or a context is one that an exception is expected in."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in EXPECTED_FAILURES
    return False


def may_fail(node: ast.AST, file_map: FileMap) -> bool:
    """Tell whether an exception of a node is caught, or expected, so that the file has an answer to it."""
    child = node
    for parent in file_map.parents(node):
        if isinstance(parent, ast.Try) and parent.handlers and child in parent.body:
            return True
        if isinstance(parent, ast.With | ast.AsyncWith) and child in parent.body:
            items = (item.context_expr for item in parent.items)
            if any(
                expects_failure(item) or (isinstance(item, ast.Call) and last_name(item.func) == "suppress")
                for item in items
            ):
                return True
        child = parent
    return not is_judged(node, file_map)


def is_bound_between(name: str, first: ast.AST, second: ast.AST, file_map: FileMap) -> bool:
    """Tell whether a name gets another value after one node of a frame and before another."""
    start, stop = file_map.start(first), file_map.start(second)  # type: ignore[arg-type]
    around = set(file_map.parents(second))
    bound = (one.node for one in file_map.bindings(name, first) if one.node not in around)
    places = (file_map.start(one) for one in bound if isinstance(one, ast.expr | ast.stmt))
    return any(start < place < stop for place in places)


def is_in_test(node: ast.AST, file_map: FileMap) -> bool:
    """Tell whether a node stands in a test, which may do such a thing to see what comes of it."""
    functions = (one for one in file_map.parents(node) if isinstance(one, FUNCTIONS))
    return any(not isinstance(one, ast.Lambda) and one.name.startswith("test") for one in functions)


def seen_from(node: ast.AST, frame: ast.AST, file_map: FileMap) -> ast.expr | ast.stmt | None:
    """Find where a function or module makes something happen: there itself, or by the one call that leads to it."""
    for _ in range(_CALLS_UP):
        own = file_map.frame_of(node)
        if own is frame:
            return node if isinstance(node, ast.expr | ast.stmt) else None
        callers = file_map.callers_of(own) if isinstance(own, FUNCTIONS) else []
        if len(callers) != 1:
            return None
        node = callers[0]
    return None


def runs_before(first: ast.AST, second: ast.AST, file_map: FileMap) -> bool:
    """Tell whether one thing is sure to come before another wherever both happen in one round of their frame."""
    for frame in dict.fromkeys((file_map.frame_of(first), file_map.frame_of(second))):
        here, there = seen_from(first, frame, file_map), seen_from(second, frame, file_map)
        if here is not None and there is not None and here is not there:
            return file_map.start(here) < file_map.start(there) and not _exclude(here, there, file_map)
    return False


def loops_over(node: ast.AST, file_map: FileMap) -> Iterator[ast.AST]:
    """Give the loops of its own frame in whose rounds a node runs, innermost first."""
    frame = file_map.frame_of(node)
    child = node
    for parent in file_map.parents(node):
        if parent is frame:
            return
        if isinstance(parent, LOOPS) and (child in parent.body or child is getattr(parent, "test", None)):
            yield parent
        child = parent


def share_a_loop(first: ast.AST, second: ast.AST, file_map: FileMap) -> bool:
    """Tell whether two things happen in the rounds of one loop, so that each comes after the other, too."""
    for frame in dict.fromkeys((file_map.frame_of(first), file_map.frame_of(second))):
        here, there = seen_from(first, frame, file_map), seen_from(second, frame, file_map)
        if here is not None and there is not None:
            return bool(set(loops_over(here, file_map)) & set(loops_over(there, file_map)))
    return False


def _exclude(first: ast.AST, second: ast.AST, file_map: FileMap) -> bool:
    """Tell whether two nodes of one frame stand in branches of which a run takes but one, or a branch that ends."""
    around = set(file_map.parents(second))
    for child, parent in _steps_up(first, file_map):
        if parent in around:
            break
        if isinstance(parent, ast.If | ast.Match | ast.match_case | ast.Try | ast.ExceptHandler):
            block = block_of(parent, child)
            if block is not None and ends(block):
                return True
    ways = {parent: child for child, parent in _steps_up(first, file_map)}
    for child, parent in _steps_up(second, file_map):
        if parent in ways:
            arms = arms_of(parent) if isinstance(parent, ast.If | ast.Match) else []
            arms += [parent.body, *(one.body for one in parent.handlers)] if isinstance(parent, ast.Try) else []
            at = [_arm(way, parent, arms) for way in (ways[parent], child)]
            return None not in at and at[0] != at[1]
    return False


def _arm(child: ast.AST, parent: ast.AST, arms: list[list[ast.stmt]]) -> int | None:
    block = block_of(parent, child)
    if block is None and isinstance(child, ast.ExceptHandler | ast.match_case):
        block = child.body
    return next((number for number, arm in enumerate(arms) if arm is block), None)


def _steps_up(node: ast.AST, file_map: FileMap) -> Iterator[tuple[ast.AST, ast.AST]]:
    child = node
    for parent in file_map.parents(node):
        yield child, parent
        child = parent


def in_comprehension(node: ast.AST, file_map: FileMap, depth: int = 0) -> bool:
    """Tell whether something is run by a comprehension or a lambda, itself or through the calls of its function."""
    for parent in file_map.parents(node):
        if isinstance(parent, _COMPREHENSIONS):
            return True
        if isinstance(parent, FUNCTIONS):
            return depth < _FOLLOWED and any(
                in_comprehension(call, file_map, depth + 1) for call in file_map.callers_of(parent)
            )
    return False


def every_round(loops: Sequence[ast.AST], file_map: FileMap) -> bool:
    """Tell whether each loop, innermost first, runs the one before it in every round, and nothing unseen runs them."""
    if in_comprehension(loops[0], file_map):
        return False
    for inner, outer in pairwise(loops):
        if _skips(outer) or not _is_always_reached(inner, outer, file_map):
            return False
    return True


_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
_CONDITIONS: Final = (ast.If, ast.IfExp, ast.BoolOp, ast.Try, ast.While, ast.Match)
_FOLLOWED: Final = 3


def _is_always_reached(inner: ast.AST, outer: ast.AST, file_map: FileMap, depth: int = 0) -> bool:
    for parent in file_map.parents(inner):
        if parent is outer:
            return True
        if isinstance(parent, _CONDITIONS):
            return False
        if isinstance(parent, FUNCTIONS):
            callers = file_map.callers_of(parent)
            return (
                len(callers) == 1 and depth < _FOLLOWED and _is_always_reached(callers[0], outer, file_map, depth + 1)
            )
    return False


def _skips(loop: ast.AST) -> bool:
    """Tell whether a loop has a `continue` of its own."""
    pending: list[ast.AST] = list(getattr(loop, "body", ()))
    while pending:
        one = pending.pop()
        if isinstance(one, ast.Continue):
            return True
        if not isinstance(one, (*LOOPS, ast.ClassDef, *FUNCTIONS)):
            pending += ast.iter_child_nodes(one)
    return False
