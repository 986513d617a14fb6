"""Reading AdaLoRA configurations in Python: the map.

The standard `ast` tells which calls construct a configuration and what their arguments are worth; nothing is imported
or run. LibCST, the microscope, is used only where a rewrite is made (`adalint.fixes.python_edits`) and for texts whose
grammar is newer than this interpreter's.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.readers.python_loops import allocation_in
from adalint.readers.python_scopes import FileMap
from adalint.readers.python_syntax import parse
from adalint.readers.python_values import evaluate
from adalint.site import RUN_LENGTH_NAMES, Site, Surface
from adalint.source import Span
from adalint.values import UNKNOWN, Literal, Value, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source

CLASS_NAME: Final = "AdaLoraConfig"
EXPECTED_FAILURES: Final = frozenset(
    {"raises", "warns", "deprecated_call", "assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex"}
)


def read_sites(source: Source) -> list[Site]:
    """Find the configurations in a Python file.

    Raises:
        ReadError: the text is not Python.
    """
    file_map = FileMap(source, parse(source))
    calls = [call for call in file_map.calls() if is_configuration(call, file_map) and _is_judged(call, file_map)]
    sites = [_site(call, file_map) for call in calls]
    if len(sites) == 1:
        sites = [replace(sites[0], loop=allocation_in(file_map))]
    return sites


def is_configuration(call: ast.Call, file_map: FileMap) -> bool:
    """Tell whether a call constructs PEFT's AdaLoraConfig, not somebody's own class of that name."""
    path = file_map.path_of(call.func)
    return path is not None and path.startswith("peft.") and path.rpartition(".")[2] == CLASS_NAME


def _is_judged(call: ast.Call, file_map: FileMap) -> bool:
    """Leave out what is expected to fail and what only a type checker sees."""
    for parent in file_map.parents(call):
        match parent:
            case ast.With(items=items) | ast.AsyncWith(items=items):
                if any(_expects_failure(item.context_expr) for item in items):
                    return False
            case ast.Call() if _expects_failure(parent):
                return False
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                return False
    return True


def _expects_failure(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in EXPECTED_FAILURES
    return False


def _site(call: ast.Call, file_map: FileMap) -> Site:
    source = file_map.source
    values: dict[str, Value] = {}
    for keyword in call.keywords:
        if keyword.arg is not None:
            start = file_map.start(keyword)
            values[keyword.arg] = Value(
                expr=evaluate(keyword.value, file_map),
                span=file_map.span(keyword.value),
                key_span=Span(start, start + len(keyword.arg.encode())),
                text=source.slice(file_map.span(keyword.value)),
            )
    return Site(
        source=source,
        surface=Surface.CALL,
        span=file_map.span(call),
        head=file_map.span(call.func),
        values=values,
        open=bool(call.args) or any(keyword.arg is None for keyword in call.keywords),
        late_total_step=_sets_total_step_late(file_map),
        run_length=_run_length(call, file_map),
    )


def _sets_total_step_late(file_map: FileMap) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr == "total_step" and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "set_total_step")
        for node in file_map.nodes()
    )


def _run_length(call: ast.Call, file_map: FileMap) -> Value | None:
    """Find the one length of the run that the file tells, in a form that can stand in the constructor.

    A name or expression can stand there when all its names are bound before the call, a literal number anywhere. Two
    different lengths are none.
    """
    written = list(_lengths(file_map))
    values = [evaluate(node, file_map) for node in written]
    if not values or any(value is UNKNOWN or value != values[0] for value in values):
        return None
    for node in written:
        span = file_map.span(node)
        text = file_map.source.slice(span)
        if file_map.names_bound_before(node, call) and not {"\n", "\r"} & set(text):
            return _positive(Value(values[0], span, span, text))
    span = file_map.span(written[0])
    return _positive(Value(values[0], span, span, repr(values[0].value))) if isinstance(values[0], Literal) else None


def _positive(value: Value) -> Value | None:
    if isinstance(value.expr, Literal) and not (is_number(value.expr.value) and value.expr.value > 0):
        return None
    return value


def _lengths(file_map: FileMap) -> Iterator[ast.expr]:
    """Give the expressions that stand for the length of the run: names that say so, and what `total_step` is set to."""
    for node in file_map.nodes():
        match node:
            case ast.keyword(arg=name, value=value) if name in RUN_LENGTH_NAMES:
                yield value
            case ast.Assign(targets=[ast.Name(id=name) as target]) if name in RUN_LENGTH_NAMES:
                yield target
            case ast.Assign(targets=[ast.Attribute(attr="total_step")], value=value):
                yield value
            case ast.Call(func=ast.Attribute(attr="set_total_step"), args=[value]):
                yield value
