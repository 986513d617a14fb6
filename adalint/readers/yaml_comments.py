"""The comments of YAML, what a suppression in them covers, and where a new one can stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.fixes.mapping_edits import comments
from adalint.readers.errors import ReadError
from adalint.readers.tree import Alias, Mapping, Scalar, Sequence, nodes
from adalint.readers.yaml_reader import read_yaml
from adalint.source import Span
from adalint.suppress import MARK, Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.tree import Tree
    from adalint.source import Source

_BLANKS: Final = re.compile(rb"[ \t]*")
_DOCUMENT: Final = re.compile(rb"---[ \t]+")
_DASH: Final = re.compile(rb"-(?=[ \t\r\n]|$)")


def comments_of(source: Source) -> Iterator[Comment]:
    """Give the comments that can hold a suppression, in order.

    One on a line of its own covers the entries or the list item that start on the next line, with all that is in them.
    """
    try:
        tree = read_yaml(source)
    except ReadError:
        return
    spans = list(comments(source, tree))
    rows = {source.row_of(span.start) for span in spans if _is_alone(source, span)}
    for span in spans:
        if MARK not in source.slice(span).lower():
            continue
        row = source.row_of(span.start)
        if row not in rows:
            yield Comment(span, own_line=False, covers=source.line_span(row))
            continue
        while row in rows:
            row += 1
        yield Comment(span, own_line=True, covers=_extent(source, tree, row))


def row_above_which(source: Source, offset: int) -> int | None:
    """Find the row above which a comment covers a place, and as little else as possible; None when there is none."""
    tree = read_yaml(source)
    leaves = [node.outer for node in nodes(tree) if isinstance(node, Scalar | Alias)]
    for row in range(source.row_of(offset), 0, -1):
        start = source.line_starts[row - 1]
        if any(leaf.start < start < leaf.stop for leaf in leaves):
            continue
        extent = _extent(source, tree, row)
        if extent is not None and extent.start <= offset < extent.stop:
            return row
    return None


def _is_alone(source: Source, span: Span) -> bool:
    line = source.line_span(source.row_of(span.start))
    return not source.content[line.start : span.start].strip()


def _extent(source: Source, tree: Tree, row: int) -> Span | None:
    """Tell what a comment directly above a row covers."""
    if row > len(source.line_starts):
        return None
    line = source.line_span(row)
    found = _BLANKS.match(source.content, line.start, line.stop)
    start = found.end() if found else line.start
    if (document := _DOCUMENT.match(source.content, start, line.stop)) is not None and start == line.start:
        start = document.end()
    if start >= line.stop:
        return None
    is_item = _DASH.match(source.content, start, line.stop) is not None
    return _item(tree, start) if is_item else _entries(tree, Span(start, line.stop))


def _item(tree: Tree, dash: int) -> Span | None:
    """Give the list item behind a dash: of `- - a`, the first dash opens the outer list's."""
    items = [item.outer for node in nodes(tree) if isinstance(node, Sequence) and not node.flow for item in node.items]
    nearest = min((item for item in items if item.start > dash), key=lambda item: item.start, default=None)
    return None if nearest is None else Span(dash, nearest.stop)


def _entries(tree: Tree, line: Span) -> Span | None:
    """Give what starts on a line: one entry of a block, or all of some braces; a block as a whole is more than that."""
    ends = []
    for node in nodes(tree):
        if line.start <= node.outer.start < line.stop and (isinstance(node, Scalar | Alias) or node.flow):
            ends.append(node.outer.stop)
        if isinstance(node, Mapping):
            ends += (
                max(entry.key.outer.stop, entry.value.outer.stop)
                for entry in node.entries
                if line.start <= entry.key.outer.start < line.stop
            )
    return Span(line.start, max(ends)) if ends else None
