"""The comments of shell, what a suppression in them covers, and where a new one can stand.

Only a line of its own silences: a comment between the lines of a command ends it.
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
_CONTINUED: Final = re.compile(rb"(?:^|[^\\])(?:\\\\)*\\[ \t]*\r?\n\Z")


def comments_of(source: Source) -> Iterator[Comment]:
    """Give the comments that can hold a suppression, in order; each covers the command that starts on the next line."""
    try:
        spans, extents = _read(source)
    except ReadError:
        return
    rows = {source.row_of(span.start) for span in spans}
    for span in spans:
        if MARK not in source.slice(span).lower():
            continue
        row = source.row_of(span.start)
        while row in rows:
            row += 1
        yield Comment(span, own_line=True, covers=extents.get(row))


def anchors(source: Source) -> list[tuple[Span, int]]:
    """List the rows above which a comment can stand, in order, each with what the comment would cover."""
    if source.name == "!":  # a line of a notebook: what stands above it is Python
        return []
    _, extents = _read(source)
    return sorted((extent, row) for row, extent in extents.items())


def _read(source: Source) -> tuple[list[Span], dict[int, Span]]:
    """Give the comments on lines of their own, and what begins on each row."""
    return _by_tree(source) if form_of(source) is Form.SCRIPT else _by_line(source)


def _by_tree(source: Source) -> tuple[list[Span], dict[int, Span]]:
    root = parse(source.content)
    spans: list[Span] = []
    extents: dict[int, Span] = {}
    stack: list[Node] = [root]
    while stack:
        node = stack.pop()
        row = source.row_of(node.start_byte)
        alone = not source.content[source.line_starts[row - 1] : node.start_byte].strip()
        if node.type == "comment" and alone:
            spans.append(Span(node.start_byte, node.end_byte))
        elif alone and row not in extents and not _continues(source, row):
            if node.type in _STATEMENTS:
                extents[row] = Span(source.line_starts[row - 1], node.end_byte)
            elif node.type in _COMPOUND:
                extents[row] = source.line_span(row)
        if node.type == "array":
            _items(source, node, extents)
        if node.type in {"array", "command", "string"}:
            spans += _own_lines(source, node) if node.type == "array" else []
            continue
        stack += reversed(node.children)
    return sorted(spans), extents


def _items(source: Source, array: Node, extents: dict[int, Span]) -> None:
    for item in array.named_children:
        row = source.row_of(item.start_byte)
        if item.type != "comment" and row > source.row_of(array.start_byte) and not _continues(source, row):
            line = source.line_span(row)
            extents.setdefault(row, Span(line.start, max(line.stop, item.end_byte)))


def _own_lines(source: Source, array: Node) -> Iterator[Span]:
    for node in descendants(array):
        row = source.row_of(node.start_byte)
        if node.type == "comment" and not source.content[source.line_starts[row - 1] : node.start_byte].strip():
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
        if begun is None and text.strip():
            begun = row
        if begun is not None:
            extents[begun] = Span(source.line_starts[begun - 1], line.stop)
        if not text.rstrip().endswith(b"\\"):
            begun = None
    return spans, extents
