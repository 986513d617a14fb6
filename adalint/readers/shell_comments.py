"""The comments of shell, what a suppression in them covers, and where a new one can stand.

One behind code covers its line; between the lines of a command a comment ends it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.readers.errors import ReadError
from adalint.readers.shell_forms import Form, form_of
from adalint.readers.shell_syntax import descendants, parse
from adalint.source import Span
from adalint.suppress import MARK, Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from adalint.source import Source

_STATEMENTS: Final = frozenset(
    {
        *("command", "redirected_statement", "pipeline", "list", "variable_assignment", "variable_assignments"),
        *("declaration_command", "negated_command", "test_command"),
    }
)
_COMPOUND: Final = frozenset(
    {"if_statement", "for_statement", "while_statement", "c_style_for_statement", "case_statement", "subshell"}
)
_BEHIND: Final = re.compile(rb"[ \t;](?P<comment>#[^#'\"]*)\Z")
"""A comment behind what a line of a Makefile or a Dockerfile hands to the shell."""
_CONTINUED: Final = re.compile(rb"(?:^|[^\\])(?:\\\\)*\\[ \t]*\r?\n\Z")


def comments_of(source: Source) -> Iterator[Comment]:
    """Give the comments that can hold a suppression, in order.

    One on a line of its own covers the command that starts on the next line.
    """
    try:
        spans, extents = _read(source)
    except ReadError:
        return
    alone = {source.row_of(span.start) for span in spans if _stands_alone(source, span.start)}
    for span in spans:
        row = source.row_of(span.start)
        if MARK not in source.slice(span).lower():
            continue
        if row not in alone:
            yield Comment(span, own_line=False, covers=source.line_span(row))
            continue
        while row in alone:
            row += 1
        yield Comment(span, own_line=True, covers=extents.get(row))


def _stands_alone(source: Source, offset: int) -> bool:
    return not source.content[source.line_starts[source.row_of(offset) - 1] : offset].strip()


def anchors(source: Source) -> list[tuple[Span, int]]:
    """List the rows above which a comment can stand, in order, each with what the comment would cover."""
    _, extents = _read(source)
    return sorted((extent, row) for row, extent in extents.items())


def _read(source: Source) -> tuple[list[Span], dict[int, Span]]:
    """Give the comments, and what begins on each row."""
    return _by_tree(source) if form_of(source) is Form.SCRIPT else _by_line(source)


def _by_tree(source: Source) -> tuple[list[Span], dict[int, Span]]:
    root = parse(source.content)
    spans: list[Span] = []
    extents: dict[int, Span] = {}
    stack: list[Node] = [root]
    while stack:
        node = stack.pop()
        row = source.row_of(node.start_byte)
        if node.type == "comment":
            spans.append(Span(node.start_byte, node.end_byte))
        elif row not in extents and _stands_alone(source, node.start_byte) and not _continues(source, row):
            if node.type in _STATEMENTS:
                extents[row] = Span(source.line_starts[row - 1], node.end_byte)
            elif node.type in _COMPOUND:
                extents[row] = source.line_span(row)
        if node.type == "array":
            _items(source, node, extents)
        if node.type in {"array", "command", "string"}:
            spans += _comments_in(node) if node.type == "array" else []
            continue
        stack += reversed(node.children)
    return sorted(spans), extents


def _items(source: Source, array: Node, extents: dict[int, Span]) -> None:
    for item in array.named_children:
        row = source.row_of(item.start_byte)
        if item.type != "comment" and row > source.row_of(array.start_byte) and not _continues(source, row):
            line = source.line_span(row)
            extents.setdefault(row, Span(line.start, max(line.stop, item.end_byte)))


def _comments_in(array: Node) -> Iterator[Span]:
    for node in descendants(array):
        if node.type == "comment":
            yield Span(node.start_byte, node.end_byte)


def _continues(source: Source, row: int) -> bool:
    """Tell whether a row goes on with what the row above has begun."""
    starts = source.line_starts
    return row > 1 and _CONTINUED.search(source.content[starts[row - 2] : starts[row - 1]]) is not None


def _by_line(source: Source) -> tuple[list[Span], dict[int, Span]]:
    """Read a Makefile or a Dockerfile: lines, and those by which they go on."""
    spans: list[Span] = []
    extents: dict[int, Span] = {}
    begun: int | None = None
    for row in range(1, len(source.line_starts) + 1):
        line = source.line_span(row)
        text = source.content[line.start : line.stop]
        if text.lstrip().startswith(b"#"):
            spans.append(Span(line.start + len(text) - len(text.lstrip()), line.stop))
            continue
        if behind := _BEHIND.search(text):
            spans.append(Span(line.start + behind.start("comment"), line.stop))
        if begun is None and text.strip():
            begun = row
        if begun is not None:
            extents[begun] = Span(source.line_starts[begun - 1], line.stop)
        if not text.rstrip().endswith(b"\\"):
            begun = None
    return spans, extents
