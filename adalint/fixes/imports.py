"""Imports that inserted code needs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.fixes.operations import Unplaceable
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.readers.python_scopes import FileMap


def imports_above(node: ast.stmt, needed: Iterable[str], file_map: FileMap) -> list[Edit]:
    """Write the imports that code needs and the module does not have, below its last import above the code.

    Raises:
        Unplaceable: there is no import above, another statement stands on its line, or a name is taken.
    """
    source = file_map.source
    body = file_map.tree.body
    top = next(one for one in (node, *file_map.parents(node)) if one in body)
    if not isinstance(top, ast.stmt):
        raise Unplaceable("the code is not written here")
    lines = [line for text in needed if (line := _missing(text, file_map, top))]
    if not lines:
        return []
    above = [one for one in body[: body.index(top)] if isinstance(one, ast.Import | ast.ImportFrom)]
    if not above:
        raise Unplaceable("no import stands above")
    last = above[-1]
    end = source.line_span(last.end_lineno or last.lineno).stop
    rest = source.slice(Span(file_map.span(last).stop, end)).strip()
    if rest and not rest.startswith("#"):
        raise Unplaceable("another statement stands on the line of the last import")
    return [Edit(Span(end, end), "".join(f"{source.newline}{line}" for line in lines))]


def _missing(text: str, file_map: FileMap, top: ast.stmt) -> str:
    """Give what of an import statement the module lacks; empty when it lacks nothing.

    Raises:
        Unplaceable: the module means something else by one of the names.
    """
    [statement] = (one for one in ast.parse(text).body if isinstance(one, ast.Import | ast.ImportFrom))
    module = f"{statement.module}." if isinstance(statement, ast.ImportFrom) else ""
    lacking = []
    for alias in statement.names:
        bound = file_map.bindings(alias.name, top)
        if not bound:
            lacking.append(alias.name)
            continue
        if any(one.path != f"{module}{alias.name}" for one in bound):
            raise Unplaceable(f"the file means something else by {alias.name}")
        if not any(file_map.parent(one.node) is file_map.tree and _starts_above(one.node, top) for one in bound):
            lacking.append(alias.name)
    if not lacking:
        return ""
    names = ", ".join(lacking)
    return f"from {statement.module} import {names}" if isinstance(statement, ast.ImportFrom) else f"import {names}"


def _starts_above(node: ast.AST, top: ast.stmt) -> bool:
    return getattr(node, "lineno", 0) < top.lineno
