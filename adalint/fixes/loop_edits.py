"""Turning operations on training loops into edits: the allocator's call put in, moved, or freed of a condition.

Whole lines are moved, with the comments that belong to them; where anything else stands on those lines, or a statement
between changes the number that the call is given, nothing is done.
"""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING

from adalint.fixes.imports import imports_above
from adalint.fixes.operations import DropGuard, InsertCall, MoveCall, Unplaceable
from adalint.readers.python_scopes import FileMap, map_of
from adalint.readers.python_shapes import block_of
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.fixes.operations import Operation
    from adalint.source import Source


def place(source: Source, operations: Sequence[Operation]) -> tuple[Edit, ...]:
    """Turn operations into edits of a Python file.

    Raises:
        Unplaceable: one of them cannot be placed exactly; the message says why.
    """
    file_map = map_of(source)
    edits: list[Edit] = []
    for operation in operations:
        match operation:
            case InsertCall():
                edits += _inserted(operation, file_map)
            case MoveCall(statement=moved, after=after):
                edits += _moved(_statement(moved, file_map), _statement(after, file_map), file_map)
            case DropGuard(call=call, statement=guard, part=part):
                edits += _freed(_statement(call, file_map), _statement(guard, file_map), part, file_map)
            case _:
                raise Unplaceable("a fix changes either the code or the configuration")
    return tuple(sorted(edits))


def _statement(span: Span, file_map: FileMap) -> ast.stmt:
    """Find the statement that covers exactly these bytes.

    Raises:
        Unplaceable: there is none; the call is a part of a greater statement.
    """
    found = next((one for one in file_map.nodes() if isinstance(one, ast.stmt) and file_map.span(one) == span), None)
    if found is None:
        raise Unplaceable("the statement is not written here")
    return found


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lines(statement: ast.stmt, file_map: FileMap, *, with_comments: bool = True) -> Span:
    """Give the lines of a statement that has them for itself, with the comment lines directly above, the newline aside.

    Raises:
        Unplaceable: another statement stands on one of them.
    """
    source = file_map.source
    span = file_map.span(statement)
    first, last = source.row_of(span.start), source.row_of(max(span.start, span.stop - 1))
    before = source.slice(Span(source.line_span(first).start, span.start))
    after = source.slice(Span(span.stop, source.line_span(last).stop)).strip()
    if before.strip() or (after and not after.startswith("#")):
        raise Unplaceable("another statement stands on the same line")
    while with_comments and first > 1 and source.slice(source.line_span(first - 1)).startswith(f"{before}#"):
        first -= 1
    return Span(source.line_span(first).start, source.line_span(last).stop)


def _indent(statement: ast.stmt, file_map: FileMap) -> str:
    source = file_map.source
    start = file_map.start(statement)
    return source.slice(Span(source.line_span(source.row_of(start)).start, start))


def _under(gate: str | None, lines: list[str]) -> list[str]:
    """Write lines under their condition, where there is one."""
    return lines if gate is None else [f"if {gate}:", *(f"\t{line}" for line in lines)]


def _put(text: str, anchor: ast.stmt, file_map: FileMap) -> Edit:
    """Put lines below a statement."""
    stop = _lines(anchor, file_map, with_comments=False).stop
    return Edit(Span(stop, stop), f"{file_map.source.newline}{text}")


def _cut(lines: Span, file_map: FileMap) -> Edit:
    """Delete lines, with the newline behind them, or before them at the end of the file."""
    source = file_map.source
    row = source.row_of(lines.stop) + 1
    size = len(source.content)
    if lines.stop < size:
        return Edit(Span(lines.start, source.line_span(row).start), "")
    start = source.line_span(source.row_of(lines.start) - 1).stop
    return Edit(Span(start, lines.stop), "")


def _block(statement: ast.stmt, file_map: FileMap) -> list[ast.stmt]:
    parent = file_map.parent(statement)
    block = None if parent is None else block_of(parent, statement)
    if block is None:
        raise Unplaceable("the statement does not stand in a block")
    return block


# ── a call put in ────────────────────────────────────────────────────────────────────────────────────────────────────


def _inserted(operation: InsertCall, file_map: FileMap) -> list[Edit]:
    """Put the call below its anchor, and what counts for it, where the file has no counter."""
    anchor = _statement(operation.after, file_map)
    indent = _indent(anchor, file_map)
    deeper = "\t" if indent.startswith("\t") else "    "
    counter, handed = operation.counter, operation.handed
    lines = _under(operation.gate, [operation.text])
    if counter is not None and handed is None:
        lines.append(f"{counter} += 1")
    newline = file_map.source.newline
    text = newline.join(indent + line.replace("\t", deeper) for line in _under(operation.boundary, lines))
    edits = [_put(text, anchor, file_map)]
    if counter is not None and operation.above is not None:
        start = f"{counter} = 0" if handed is None else f"{counter} = itertools.count()"
        edits.append(put_above(operation.above, [start], file_map))
    if counter is not None and handed is not None:
        if operation.gate is not None:
            raise Unplaceable("the counter would stand still where the gradients overflow")
        edits += [Edit(handed.parameter, f", {counter}"), Edit(handed.argument, f", {counter}={counter}")]
        edits += imports_above(_statement(operation.after, file_map), ("import itertools",), file_map)
    return edits


def put_above(statement: Span, lines: Sequence[str], file_map: FileMap) -> Edit:
    """Put lines above a statement, and above the comments that belong to it.

    Raises:
        Unplaceable: another statement stands on the line, or the statement is the first of an `else` and the like.
    """
    anchor = _statement(statement, file_map)
    start, indent = _lines(anchor, file_map).start, _indent(anchor, file_map)
    return Edit(Span(start, start), "".join(f"{indent}{line}{file_map.source.newline}" for line in lines))


# ── moves ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _moved(moved: ast.stmt, anchor: ast.stmt, file_map: FileMap) -> list[Edit]:
    block = _block(moved, file_map)
    if anchor in block:
        lines = _lines(moved, file_map)
        text = file_map.source.slice(lines)
        passed = _between(moved, anchor, block)
        if block.index(anchor) < block.index(moved):
            text = _counted_before(moved, passed, lines, file_map) or text
        else:
            _refuse_changes_of(moved, passed, file_map)
        return [_cut(lines, file_map), _put(text, anchor, file_map)]
    return _moved_with_condition(moved, anchor, file_map)


def _between(first: ast.stmt, second: ast.stmt, block: list[ast.stmt]) -> list[ast.stmt]:
    start, stop = sorted((block.index(first), block.index(second)))
    return block[start + 1 : stop]


def _counted_before(moved: ast.stmt, passed: Sequence[ast.stmt], lines: Span, file_map: FileMap) -> str | None:
    """Write the call for a place above `step += 1`: it gets `step + 1`; None where no such statement is passed.

    Raises:
        Unplaceable: something else that the call uses is changed between the two places.
    """
    match moved:
        case ast.Expr(value=ast.Call(args=[ast.Name(id=name) as argument], keywords=[])):
            raising = [one for one in passed if _raises(one, name)]
            _refuse_changes_of(moved, [one for one in passed if one not in raising], file_map)
            if len(raising) == 1:
                stop = file_map.span(argument).stop
                source = file_map.source
                return f"{source.slice(Span(lines.start, stop))} + 1{source.slice(Span(stop, lines.stop))}"
            if not raising:
                return None
    _refuse_changes_of(moved, passed, file_map)
    return None


def _raises(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.AugAssign(target=ast.Name(id=raised), op=ast.Add(), value=ast.Constant(value=1)):
            return raised == name
    return False


def _moved_with_condition(moved: ast.stmt, anchor: ast.stmt, file_map: FileMap) -> list[Edit]:
    """Move a call out of an `if` beside the anchor, and put it under the same condition there."""
    guard = file_map.parent(moved)
    block = _block(anchor, file_map)
    if not (isinstance(guard, ast.If) and guard in block and moved in guard.body and not guard.orelse):
        raise Unplaceable("the call and the optimizer's step stand in different blocks")
    source = file_map.source
    _refuse_changes_of(guard, _between(guard, anchor, block), file_map)
    if len(guard.body) == 1:
        lines = _lines(guard, file_map)
        return [_cut(lines, file_map), _put(source.slice(lines), anchor, file_map)]
    lines = _lines(moved, file_map)
    head = f"{_indent(anchor, file_map)}if {source.slice(file_map.span(guard.test))}:{source.newline}"
    return [_cut(lines, file_map), _put(f"{head}{source.slice(lines)}", anchor, file_map)]


def _refuse_changes_of(moved: ast.stmt, passed: Sequence[ast.stmt], file_map: FileMap) -> None:
    """Refuse to move a statement over one that binds or changes what it uses.

    Raises:
        Unplaceable: there is such a statement.
    """
    used = {part.id for part in ast.walk(moved) if isinstance(part, ast.Name)}
    attributes = {ast.unparse(part) for part in ast.walk(moved) if isinstance(part, ast.Attribute)}
    for statement in passed:
        stored = {
            ast.unparse(part)
            for part in ast.walk(statement)
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
        }
        changed = sorted({name for name in used if file_map.binds(name, statement)} | (stored & attributes))
        if changed:
            name = changed[0]
            raise Unplaceable(f"{name} is changed between the two places")


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _freed(call: ast.stmt, guard: ast.stmt, part: Span, file_map: FileMap) -> list[Edit]:
    if not isinstance(guard, ast.If) or call not in guard.body:
        raise Unplaceable("the condition is not the one directly around the call")
    if isinstance(guard.test, ast.BoolOp) and isinstance(guard.test.op, ast.And):
        return [_without(guard.test, part, file_map)]
    if file_map.span(guard.test) != part:
        raise Unplaceable("the condition is a part of another one")
    if guard.orelse:
        raise Unplaceable("the condition has an else")
    if not file_map.source.slice(file_map.span(guard)).startswith("if"):
        raise Unplaceable("the condition is an elif")
    if len(guard.body) > 1:
        return _moved_out(call, guard, file_map)
    return [_unwrapped(call, guard, file_map)]


def _without(test: ast.BoolOp, part: Span, file_map: FileMap) -> Edit:
    """Take one operand out of an `and`, with the word beside it."""
    spans = [file_map.span(value) for value in test.values]
    if part not in spans:
        raise Unplaceable("the condition is a part of another one")
    at = spans.index(part)
    gap = Span(part.stop, spans[1].start) if at == 0 else Span(spans[at - 1].stop, part.start)
    if file_map.source.slice(gap).split() != ["and"]:
        raise Unplaceable("brackets or comments stand around the condition")
    return Edit(Span(part.start, gap.stop) if at == 0 else Span(gap.start, part.stop), "")


def _moved_out(call: ast.stmt, guard: ast.If, file_map: FileMap) -> list[Edit]:
    """Leave the rest of the block under the condition, and put the call behind it."""
    _refuse_changes_of(call, guard.body[guard.body.index(call) + 1 :], file_map)
    lines = _lines(call, file_map)
    text = _dedented(call, lines, guard, file_map)
    stop = _lines(guard, file_map, with_comments=False).stop
    if stop == lines.stop:
        # The call ends the block: it is enough to shift it.
        return [Edit(lines, text)]
    return [_cut(lines, file_map), Edit(Span(stop, stop), f"{file_map.source.newline}{text}")]


def _unwrapped(call: ast.stmt, guard: ast.If, file_map: FileMap) -> Edit:
    source = file_map.source
    head = _lines(guard, file_map, with_comments=False)
    if guard.lineno == call.lineno:
        return Edit(Span(file_map.start(guard), file_map.start(call)), "")
    lines = _lines(call, file_map)
    colon = source.slice(Span(file_map.span(guard.test).stop, lines.start))
    if colon.strip(" )\t\r\n") != ":":
        raise Unplaceable("a comment stands on the line of the condition")
    return Edit(Span(head.start, lines.stop), _dedented(call, lines, guard, file_map))


def _dedented(call: ast.stmt, lines: Span, guard: ast.If, file_map: FileMap) -> str:
    """Write lines of the block as far to the left as the condition stands.

    Raises:
        Unplaceable: a string goes over several lines, which may not be shifted.
    """
    strings = [one for one in ast.walk(call) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if any(one.lineno != one.end_lineno for one in strings):
        raise Unplaceable("a string in the call goes over several lines")
    text = file_map.source.slice(lines)
    return textwrap.indent(textwrap.dedent(text), _indent(guard, file_map))
