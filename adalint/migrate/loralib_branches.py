"""Branches that a flag decided, once the flag is gone: the one that was taken stays, the other one goes."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TYPE_CHECKING, Any, Final

from adalint.migrate.loralib_names import Unmovable
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adalint.readers.python_scopes import FileMap

UNKNOWN: Final = object()
"""What no launch line decides."""

_CLOSED: Final = (ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript, ast.List, ast.Dict)
"""What needs no parentheses anywhere."""

_OPERATORS: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: lambda left, right: bool(left == right),
    ast.NotEq: lambda left, right: bool(left != right),
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: lambda left, right: left is right,
    ast.IsNot: lambda left, right: left is not right,
}


def value_of(expr: ast.expr, known: Mapping[int, object]) -> object:
    """Work out an expression from constants and the nodes that are known, by id; UNKNOWN where that does not do."""
    match expr:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            values = [value_of(one, known) for one in parts]
            return UNKNOWN if UNKNOWN in values else tuple(values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inside = value_of(operand, known)
            return UNKNOWN if inside is UNKNOWN else not inside
        case ast.BoolOp(op=op, values=parts):
            return _joined(parts, [value_of(one, known) for one in parts], is_and=isinstance(op, ast.And))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            one, other = value_of(left, known), value_of(right, known)
            operator = _OPERATORS.get(type(op))
            if one is UNKNOWN or other is UNKNOWN or operator is None:
                return UNKNOWN
            try:
                return operator(one, other)
            except TypeError:
                return UNKNOWN
        case ast.Call(func=ast.Attribute(value=inner, attr="split"), args=[ast.Constant(value=str(mark))], keywords=[]):
            text = value_of(inner, known)
            return tuple(text.split(mark)) if isinstance(text, str) and mark else UNKNOWN
    return known.get(id(expr), UNKNOWN)


def _joined(parts: list[ast.expr], values: list[object], *, is_and: bool) -> object:
    """Join truths; what is decided by a later part is unknown where an earlier one may do something."""
    unknown = False
    for part, value in zip(parts, values, strict=True):
        if value is UNKNOWN:
            if any(isinstance(one, ast.Call | ast.Await | ast.NamedExpr | ast.Yield) for one in ast.walk(part)):
                return UNKNOWN
            unknown = True
        elif bool(value) is not is_and:
            return not is_and
    return UNKNOWN if unknown else is_and


def branch_edits(file_map: FileMap, known: Mapping[int, object]) -> list[Edit]:
    """Take out what is decided, the outermost of it; nothing where nothing is.

    Raises:
        Unmovable: a branch cannot be written elsewhere without changing more than its place.
    """
    edits: list[Edit] = []
    taken: list[Span] = []
    # Before Python 3.12, what stands inside an f-string has no certain place.
    decided = [
        one
        for one in file_map.nodes()
        if isinstance(one, ast.If | ast.IfExp | ast.BoolOp)
        and not any(isinstance(above, ast.JoinedStr) for above in file_map.parents(one))
    ]
    for node in sorted(decided, key=lambda one: (one.lineno, one.col_offset, -(one.end_lineno or 0))):
        span = file_map.span(node)
        if any(one.contains(span) for one in taken):
            continue
        found = _edits_of(node, known, file_map)
        if found:
            edits += found
            taken.append(span)
    return edits


def _edits_of(node: ast.If | ast.IfExp | ast.BoolOp, known: Mapping[int, object], file_map: FileMap) -> list[Edit]:
    if isinstance(node, ast.BoolOp):
        return _without_operands(node, known, file_map)
    value = value_of(node.test, known)
    if value is UNKNOWN or not any(id(one) in known for one in ast.walk(node.test)):
        return []
    if isinstance(node, ast.IfExp):
        kept = node.body if value else node.orelse
        text = file_map.source.slice(file_map.span(kept))
        bare = isinstance(kept, _CLOSED) and "\n" not in text
        return [Edit(file_map.span(node), text if bare else f"({text})")]
    return _branch(node, file_map, taken=bool(value))


def _without_operands(node: ast.BoolOp, known: Mapping[int, object], file_map: FileMap) -> list[Edit]:
    """Leave out the operands that do not decide: what is true in an `and`, what is false in an `or`."""
    if not isinstance(file_map.parent(node), ast.If) or value_of(node, known) is not UNKNOWN:
        return []
    values = [value_of(one, known) for one in node.values]
    left = [one for one, value in zip(node.values, values, strict=True) if value is UNKNOWN]
    neutral = isinstance(node.op, ast.And)
    if len(left) == len(node.values) or any(one is not UNKNOWN and bool(one) is not neutral for one in values):
        return []
    word = " and " if isinstance(node.op, ast.And) else " or "
    parts = [file_map.source.slice(file_map.span(one)) for one in left]
    wrap = len(left) > 1 or isinstance(file_map.parent(node), ast.BoolOp)
    closed = [
        f"({text})" if "\n" in text or (wrap and isinstance(one, ast.BoolOp | ast.IfExp)) else text
        for one, text in zip(left, parts, strict=True)
    ]
    return [Edit(file_map.span(node), word.join(closed))]


def _branch(node: ast.If, file_map: FileMap, *, taken: bool) -> list[Edit]:
    source = file_map.source
    span = file_map.span(node)
    is_elif = source.content[span.start : span.start + 4] == b"elif"
    below = node.orelse[0] if node.orelse else None
    has_elif = isinstance(below, ast.If) and source.content[file_map.start(below) :].startswith(b"elif")
    if taken and is_elif:
        colon = _colon_behind(node.test, file_map)
        stop = file_map.span(node.body[-1]).stop
        return [Edit(Span(span.start, colon), "else"), *([Edit(Span(stop, span.stop), "")] if node.orelse else [])]
    if taken:
        return [_lifted(node, node.body, _colon_behind(node.test, file_map), file_map)]
    if below is None:
        return [statement_gone(node, file_map, is_elif=is_elif)]
    if has_elif:
        stop = file_map.start(below)
        return [Edit(Span(span.start, stop), "")] if is_elif else [Edit(Span(span.start, stop + 4), "if")]
    word = _else_before(below, node.body[-1], file_map)
    if is_elif:
        return [Edit(Span(span.start, word), "")]
    return [_lifted(node, node.orelse, source.content.index(b":", word), file_map)]


def statement_gone(node: ast.stmt, file_map: FileMap, *, is_elif: bool = False) -> Edit:
    """Take a statement out with its lines, or leave `pass` where it is alone.

    Raises:
        Unmovable: something else stands on its lines.
    """
    source = file_map.source
    span = file_map.span(node)
    owner = file_map.parent(node)
    alone = any(getattr(owner, name, None) == [node] for name in ("body", "orelse", "finalbody"))
    if alone and not is_elif:
        return Edit(span, "pass")
    first, last = source.row_of(span.start), source.row_of(span.stop)
    if source.content[source.line_span(first).start : span.start].strip():
        raise Unmovable(node, "it shares its line with something else")
    starts = source.line_starts
    stop = starts[last] if last < len(starts) else len(source.content)
    behind = source.content[span.stop : source.line_span(last).stop].strip()
    if behind and not behind.startswith(b"#"):
        raise Unmovable(node, "it shares its line with something else")
    return Edit(Span(starts[first - 1], stop), "")


def _colon_behind(test: ast.expr, file_map: FileMap) -> int:
    """Find the colon that ends the head of a branch: parentheses and comments may stand before it."""
    content = file_map.source.content
    at = file_map.span(test).stop
    while content[at : at + 1] != b":":
        if content[at : at + 1] == b"#":
            at = content.index(b"\n", at)
        at += 1
        if at >= len(content):
            raise Unmovable(test, "it shares its line with something else")
    return at


def _else_before(first: ast.stmt, last: ast.stmt, file_map: FileMap) -> int:
    """Find the `else` between two blocks."""
    source = file_map.source
    for row in range(source.row_of(file_map.start(first)), source.row_of(file_map.span(last).stop) - 1, -1):
        line = source.line_span(row)
        text = source.content[line.start : line.stop]
        if text.lstrip().startswith(b"else"):
            return line.start + len(text) - len(text.lstrip())
    raise Unmovable(first, "it shares its line with something else")


def _lifted(node: ast.If, block: list[ast.stmt], colon: int, file_map: FileMap) -> Edit:
    """Write a block in place of the statement around it, less indented; texts over several lines stay as they are."""
    source = file_map.source
    whole = file_map.span(node)
    start, stop = file_map.start(block[0]), file_map.span(block[-1]).stop
    line_end = source.line_span(source.row_of(stop)).stop
    if stop < whole.stop and source.content[stop:line_end].lstrip().startswith(b"#"):
        stop = line_end  # a comment behind the last statement stays with it
    if source.row_of(start) == source.row_of(colon):
        return Edit(whole, source.slice(Span(start, stop)))
    head = source.line_span(source.row_of(whole.start))
    if source.content[head.start : whole.start].strip():
        raise Unmovable(node, "it shares its line with something else")
    first = source.row_of(colon) + 1
    last = source.row_of(stop)
    surplus = (block[0].col_offset - node.col_offset) or 0
    kept = _rows_within_texts(source.content)
    lines = []
    for row in range(first, last + 1):
        line = source.line_span(row)
        text = source.slice(Span(line.start, stop if row == last else line.stop))
        indent = len(text) - len(text.lstrip(" \t"))
        lines.append(text if row in kept else text[min(surplus, indent) :])
    remark = source.slice(Span(colon + 1, source.line_span(first - 1).stop)).strip()
    lead = source.slice(Span(head.start, whole.start))
    if remark:
        lines.insert(0, lead + remark)
    return Edit(Span(head.start, whole.stop), source.newline.join(lines))


def _rows_within_texts(content: bytes) -> set[int]:
    """Give the rows that begin inside a text, where an indent is part of it."""
    rows: set[int] = set()
    opened: list[int] = []
    try:
        for token in tokenize.tokenize(io.BytesIO(content).readline):
            name = tokenize.tok_name[token.type]
            if name == "FSTRING_START":
                opened.append(token.start[0])
            elif name == "FSTRING_END" and opened:
                rows.update(range(opened.pop() + 1, token.end[0] + 1))
            elif token.type == tokenize.STRING:
                rows.update(range(token.start[0] + 1, token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        pass
    return rows
