"""What a fix may do to values that are read from names: options, defaults of a class, constants.

Whoever starts the program sets these, so that a name has to go on giving the field that it names.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.fixes.operations import Set, Swap
from adalint.readers.python_flow import Flow
from adalint.readers.python_scopes import dotted, map_of
from adalint.readers.python_shapes import last_name
from adalint.readers.python_worlds import World
from adalint.source import Edit, Kind
from adalint.values import FUNCTIONS_OF_NUMBERS, Literal, is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.fixes.operations import Operation
    from adalint.readers.python_scopes import FileMap
    from adalint.site import Site
    from adalint.source import Span
    from adalint.values import Value

_OF_PEFT = ("TaskType", "PeftType")
"""Their members are names that nobody sets."""

_GIVE_DEFAULTS = frozenset({"add_argument", "field", "Field", "ib", "attrib"})


def names_of(value: Value) -> frozenset[str]:
    """Name what a value is read from, where it is known only by what that is set to in this file: `args.rank`, `R`."""
    if not isinstance(value.expr, Literal):
        return frozenset()
    return _names_in(value)


def _names_in(value: Value) -> frozenset[str]:
    try:
        tree = ast.parse(f"(\n{value.text}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found: set[str] = set()
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        match node:
            case ast.Attribute() if dotted(node):
                owner = last_name(node.value)
                found |= set() if owner in _OF_PEFT else {dotted(node)}
            case ast.Name(id=name):
                found.add(name)
            case ast.Call(func=ast.Name(id=name), args=args) if name in FUNCTIONS_OF_NUMBERS | {"float"}:
                pending += args
            case ast.Call() | ast.Subscript():
                found.add(_unparsed(node))
            case _:
                pending += ast.iter_child_nodes(node)
    return frozenset(found)


def _unparsed(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except RecursionError:
        return ""  # nested by the hundred: no name


def name_taken_away(
    before: Site, after: Site, operations: Sequence[Operation], *, preserves: bool = False
) -> str | None:
    """Say which name would no longer give the field that it gives today; None when all of them still do.

    One that goes on giving another field has not lost its meaning: `init_r=(3 * R + 1) // 2, target_r=R`. What a fix
    gives another name (`r`) gave PEFT nothing. A fix that `preserves` training may put a sign to a variable: `-D`.
    """
    if before.source.kind is not Kind.PYTHON:
        return None
    swapped = {name for one in operations if isinstance(one, Swap) for name in (one.first, one.second)}
    written = {one.field for one in operations if isinstance(one, Set)}
    untouched = [value for name, value in after.values.items() if name not in swapped | written]
    kept = frozenset().union(*(_names_in(value) for value in untouched))
    texts = {value.text for value in after.values.values()}
    for name in sorted(swapped | written):
        value = before.values.get(name)
        if value is None or not names_of(value):
            continue
        if preserves and all(one.isidentifier() for one in names_of(value)):
            continue
        if name in swapped or not (names_of(value) <= kept or value.text in texts):
            return f"{' '.join(value.text.split())} would no longer give {before.key_of(name)}"
    return None


def swap_of_definitions(site: Site, operations: Sequence[Operation]) -> tuple[tuple[Edit, ...], bool] | None:
    """Exchange two numbers where their names get them, and tell whether somebody may set the names otherwise.

    None unless each number is written once in this file, in a place that feeds this field only.
    """
    if len(operations) != 1 or not isinstance(operations[0], Swap) or site.framework is not None:
        return None
    values = [site.values.get(name) for name in (operations[0].first, operations[0].second)]
    places: list[Span] = []
    can_be_set = False
    for value in values:
        if value is None or value.shared or value.home is None or value.given is not True:
            return None
        found = _definition(map_of(site.source), value) if names_of(value) else (value.span, False)
        if found is None:
            return None
        places.append(found[0])
        can_be_set = can_be_set or found[1]
    first, second = places
    slice_of = site.source.slice
    return tuple(sorted([Edit(first, slice_of(second)), Edit(second, slice_of(first))])), can_be_set


def _definition(file_map: FileMap, value: Value) -> tuple[Span, bool] | None:
    """Find the number that a name stands for, and tell whether it is only a default."""
    node = next((one for one in file_map.nodes() if _spans(file_map, one, value.span)), None)
    if not isinstance(node, ast.Name | ast.Attribute):
        return None
    target = Flow(file_map, World(blind=True)).target(node)
    if not isinstance(target, ast.Constant) or not is_number(target.value):
        return None
    if isinstance(node, ast.Name):
        binding = file_map.the_binding(node.id, node)
        if binding is None or binding.value is not target or len(getattr(binding.node, "targets", "1")) != 1:
            return None
        reads = [use for use in file_map.uses(node.id, node) if isinstance(use.ctx, ast.Load)]
        return (file_map.span(target), False) if reads == [node] else None
    alone = file_map.attributes_named(node.attr) == [node] and node.attr not in file_map.assigned_attributes
    return (file_map.span(target), True) if alone and _is_default_of(file_map, target, node.attr) else None


def _spans(file_map: FileMap, node: ast.AST, span: Span) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and file_map.span(node) == span


def _is_default_of(file_map: FileMap, number: ast.Constant, attr: str) -> bool:
    """Tell whether a number stands where an option or a field of a class gets its default."""
    statement = file_map.parent(number)
    if isinstance(statement, ast.keyword):
        call = file_map.parent(statement)
        if not isinstance(call, ast.Call) or last_name(call.func) not in _GIVE_DEFAULTS or statement.arg != "default":
            return False
        if last_name(call.func) == "add_argument":
            return True
        statement = file_map.parent(call)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name == attr and isinstance(file_map.parent(statement), ast.ClassDef)
    return False
