"""Turning operations on hooks and Trainers into edits: a method renamed, a callback put in."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.fixes.callback import CALLBACK, callback_text
from adalint.fixes.imports import imports_above
from adalint.fixes.operations import AddCallback, RenameHook, Unplaceable
from adalint.fixes.python_edits import insert_argument, read_layout
from adalint.readers.python_scopes import FUNCTIONS, FileMap, map_of
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.fixes.operations import Operation
    from adalint.fixes.python_edits import Argument
    from adalint.source import Source

_EVENT: Final = frozenset(
    {"model", "tokenizer", "processing_class", "optimizer", "lr_scheduler", "train_dataloader", "eval_dataloader"}
)
"""What a Trainer gives to every event by name."""

_REGISTERED: Final = "register_step_pre_hook"


def place(source: Source, operations: Sequence[Operation]) -> tuple[Edit, ...]:
    """Turn operations into edits of a Python file.

    Raises:
        Unplaceable: one of them cannot be placed exactly; the message says why.
    """
    file_map = map_of(source)
    edits: list[Edit] = []
    for operation in operations:
        match operation:
            case RenameHook():
                edits += _renamed(operation, file_map)
            case AddCallback(built=built, given=given):
                edits += _with_callback(built, given, file_map)
            case _:
                raise Unplaceable("a fix changes either the code or the configuration")
    return tuple(sorted(edits))


# ── a hook renamed ───────────────────────────────────────────────────────────────────────────────────────────────────


def _renamed(operation: RenameHook, file_map: FileMap) -> list[Edit]:
    if any(file_map.span(one).stop == operation.word.stop for one in file_map.attributes_named(_REGISTERED)):
        return [Edit(operation.word, operation.to)]
    method = next(
        (
            node
            for node in file_map.nodes()
            if isinstance(node, FUNCTIONS)
            if file_map.span(node).contains(operation.word) and node.name == file_map.source.slice(operation.word)
        ),
        None,
    )
    owner = None if method is None else file_map.class_of(method)
    if method is None or owner is None:
        raise Unplaceable("the method is not written here")
    if any(isinstance(one, FUNCTIONS) and one.name == operation.to for one in owner.body):
        raise Unplaceable(f"{owner.name} has a method {operation.to} already")
    missing = [name for name in _demanded(method) if name not in _EVENT]
    if missing:
        raise Unplaceable(f"{method.name} takes {missing[0]}, which {operation.to} is not given")
    edits = [Edit(operation.word, operation.to)]
    if operation.counter is not None:
        stop = operation.counter.stop
        edits.append(Edit(Span(stop, stop), " + 1"))
    return edits


def _demanded(method: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Name the parameters that a caller must give, beyond `self, args, state, control`."""
    args = method.args
    positional = [*args.posonlyargs, *args.args]
    needed = positional[: len(positional) - len(args.defaults)][4:]
    named = [one for one, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if default is None]
    return [one.arg for one in (*needed, *named)]


# ── a callback put in ────────────────────────────────────────────────────────────────────────────────────────────────


def _with_callback(built: Span, given: str, file_map: FileMap) -> list[Edit]:
    source = file_map.source
    call = next((one for one in file_map.calls() if file_map.span(one) == built), None)
    if call is None:
        raise Unplaceable("the Trainer is not made here")
    top = next((one for one in (call, *file_map.parents(call)) if file_map.parent(one) is file_map.tree), None)
    if not isinstance(top, ast.stmt):
        raise Unplaceable("the Trainer is not made here")
    if CALLBACK.encode() in source.content:
        raise Unplaceable(f"the file has a name {CALLBACK} already")
    return [
        _class(top, file_map),
        *imports_above(top, callback_text().imports, file_map),
        _registered(built, f"{CALLBACK}({given})", source),
    ]


def _class(top: ast.stmt, file_map: FileMap) -> Edit:
    """Put the class before a statement of the module, and before the comments directly above it."""
    source = file_map.source
    offset = min(file_map.start(one) for one in (top, *getattr(top, "decorator_list", ())))
    row = source.row_of(offset)
    line = source.line_span(row)
    before = source.slice(Span(line.start, offset))
    if before.strip(" @\t"):
        raise Unplaceable("another statement stands on the line of the Trainer")
    while row > 1 and source.slice(source.line_span(row - 1)).startswith("#") and row - 1 > _first_free_row(file_map):
        row -= 1
    start = source.line_span(row).start
    blank = 0
    while row - 1 - blank >= 1 and not source.slice(source.line_span(row - 1 - blank)).strip():
        blank += 1
    text = "\n" * max(0, 2 - blank) + callback_text().source + "\n\n"
    return Edit(Span(start, start), text.replace("\n", source.newline))


def _first_free_row(file_map: FileMap) -> int:
    """Give the row on which the imports at the top end."""
    imports = [one for one in file_map.tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    return max((one.end_lineno or one.lineno for one in imports), default=1)


def _registered(built: Span, made: str, source: Source) -> Edit:
    """Put the callback into `callbacks=[…]` of the Trainer."""
    layout = read_layout(source, built)
    given = [one for one in layout.arguments if one.name == "callbacks"]
    if not given:
        return insert_argument(layout, f"callbacks=[{made}]", "")
    return _extended(given[0], made, source)


def _extended(callbacks: Argument, made: str, source: Source) -> Edit:
    text = Span(callbacks.value.start, callbacks.value.stop)
    display = ast.parse(f"(\n{source.slice(text)}\n)", mode="eval").body
    match display:
        case ast.Constant(value=None):
            return Edit(text, f"[{made}]")
        case ast.List(elts=[]):
            return Edit(text, f"[{made}]")
        case ast.List(elts=[*_, last]) if source.slice(text).startswith("["):
            lines = source.slice(text).encode().split(b"\n")
            row = (last.end_lineno or last.lineno) - 2
            stop = text.start + sum(len(line) + 1 for line in lines[:row]) + (last.end_col_offset or 0)
            first = lines[last.lineno - 2][: last.col_offset]
            between = ", " if first.strip() else f",{source.newline}{first.decode()}"
            return Edit(Span(stop, stop), f"{between}{made}")
    raise Unplaceable("the list of callbacks is not written in the call")
