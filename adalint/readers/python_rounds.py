"""How many optimizer steps a file's own loops make, as an expression that its author could have written."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from adalint.readers.python_counters import loops_around, unwrapped
from adalint.readers.python_moments import every_round, is_in_test
from adalint.readers.python_shapes import last_name
from adalint.values import Literal, Symbol, Value

if TYPE_CHECKING:
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_iterations import Iteration
    from adalint.readers.python_loops import Found

_LOADER: Final = re.compile(r"(?i)loader")
_ITERATORS: Final = frozenset({"iter", "cycle", "zip", "map", "filter", "islice", "chain", "repeat"})
_TRAINS: Final = re.compile(r"(?i)train(?!ed|able)|fit|tune(?!r)|stage|epoch|loop|^warm")
_TEST_FILE: Final = re.compile(r"(?i)tests?_|conftest|.*_tests?\.")
_FEWEST: Final = 100
"""A loop of fewer rounds tries something out."""

_JUMPS: Final = (ast.Break, ast.Return, ast.Raise, ast.Continue)


def length_before(iteration: Iteration, made: ast.expr, flow: Flow) -> Value | None:
    """Write the number of rounds of all loops around, `len(loader) * epochs`, as it could stand in a construction.

    None where a loop may end early or does not tell its length, or a name is not what it is at the construction.
    """
    owner = iteration.owner
    loops = [owner, *loops_around(owner, flow.map)]
    if not every_round(loops, flow.map):
        return None
    factors: list[tuple[str, ast.expr]] = []
    for loop in loops:
        if not isinstance(loop, ast.For) or any(isinstance(part, _JUMPS) for part in own_parts(loop)):
            return None
        factor = factor_of(loop.iter, flow)
        if factor is None or not _is_known_at(factor[1], made, flow):
            return None
        factors.append(factor)
    if not any(text.startswith("len(") for text, _ in factors):
        return None
    span = flow.map.span(factors[0][1])
    text = " * ".join(text for text, _ in factors)
    return Value(Symbol(text), span, span, text)


def number_of_rounds(found: Found, flow: Flow) -> Value | None:
    """Give the literal number of rounds of the one loop that trains a model, made in the same run of its function.

    None where the loop may end early or run again, where something else may train the model, and in tests.
    """
    loop = None if found.iteration is None else found.iteration.owner
    if found.wrap is None or not isinstance(loop, ast.For) or list(loops_around(loop, flow.map)):
        return None
    if is_in_test(loop, flow.map) or _TEST_FILE.match(flow.map.source.name):
        return None
    frame = flow.map.frame_of(loop)
    if flow.map.frame_of(found.wrap) is not frame or any(isinstance(part, _JUMPS) for part in own_parts(loop)):
        return None
    match unwrapped(loop.iter, flow):
        case ast.Call(func=ast.Name(id="range"), args=[stop], keywords=[]):
            steps = flow.value(stop)
        case _:
            return None
    if not isinstance(steps, Literal) or type(steps.value) is not int or steps.value < _FEWEST:
        return None
    if any(_TRAINS.search(last_name(call.func)) and (call.args or call.keywords) for call in flow.map.calls()):
        return None
    span = flow.map.span(stop)
    return Value(steps, span, span, str(steps.value))


def own_parts(loop: ast.AST) -> list[ast.AST]:
    """Give all that stands in the body of a loop."""
    return [part for statement in getattr(loop, "body", ()) for part in ast.walk(statement)]


def factor_of(iterated: ast.expr, flow: Flow) -> tuple[str, ast.expr] | None:
    """Write how often a loop goes round: `epochs` of `range(epochs)`, `len(loader)` of a loader."""
    match unwrapped(iterated, flow):
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]):
            return factor_of(inner, flow)
        case ast.Call(
            func=ast.Name(id="range"), args=[ast.Name() | ast.Attribute() | ast.Constant(value=int()) as stop]
        ):
            return ast.unparse(stop), stop
        case ast.Name() | ast.Attribute() as loader if _is_loader(loader, flow):
            return f"len({ast.unparse(loader)})", loader
    return None


def _is_loader(node: ast.Name | ast.Attribute, flow: Flow) -> bool:
    """Tell whether an iterable has a length: PyTorch's loader, or one that is called a loader and is no iterator."""
    made = flow.target(node)
    if isinstance(made, ast.Call) and "Iterable" in _kind_of_dataset(made, flow):
        return False
    if isinstance(made, ast.Call) and "DataLoader" in last_name(made.func):
        return True
    is_iterator = isinstance(made, ast.Call) and last_name(made.func) in _ITERATORS
    return (made is None or isinstance(made, ast.Call)) and not is_iterator and bool(_LOADER.search(ast.unparse(node)))


def _kind_of_dataset(loader: ast.Call, flow: Flow) -> str:
    """Name the class of what a loader is made of, and its bases; a streamed one is iterable."""
    given = (
        loader.args[0] if loader.args else next((one.value for one in loader.keywords if one.arg == "dataset"), None)
    )
    made = flow.target(given) if isinstance(given, ast.Name | ast.Attribute) else given
    if not isinstance(made, ast.Call):
        return ""
    owner = flow.map.class_named(made.func)
    names = [last_name(made.func), *(last_name(base) for base in (owner.bases if owner is not None else ()))]
    streams = any(one.arg == "streaming" for one in made.keywords)
    return " ".join([*names, *(["Iterable"] if streams else [])])


def _is_known_at(node: ast.expr, made: ast.expr, flow: Flow) -> bool:
    """Tell whether an expression means the same at the construction: its names are bound there, once and before."""
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    same = all(
        flow.map.owner_of(one.id, one)[0] is flow.map.owner_of(one.id, made)[0]
        and len(flow.map.bindings(one.id, made)) == 1
        for one in names
    )
    return same and flow.map.names_bound_before(node, made)
