"""The comments of YAML, what a suppression in them covers, and where a new one can stand."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from adalint.fixes.layout import comments
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
    lines = _Lines(source, tree)
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
        yield Comment(span, own_line=True, covers=lines.extent(row))


def anchors(source: Source) -> list[tuple[Span, int]]:
    """List the rows above which a comment can stand, in order, each with what the comment would cover.

    Raises:
        ReadError: the text is not YAML.
    """
    tree = read_yaml(source)
    lines = _Lines(source, tree)
    found = []
    for row, start in enumerate(source.line_starts, start=1):
        extent = None if lines.inside_a_scalar(start) else lines.extent(row)
        if extent is not None:
            found.append((extent, row))
    return found


def _is_alone(source: Source, span: Span) -> bool:
    line = source.line_span(source.row_of(span.start))
    return not source.content[line.start : span.start].strip()


class _Lines:
    """What starts on each line of a text."""

    def __init__(self, source: Source, tree: Tree) -> None:
        self.source = source
        leaves = []
        items = []
        self.ends: dict[int, list[int]] = defaultdict(list)
        for node in nodes(tree):
            if isinstance(node, Scalar | Alias):
                leaves.append((node.outer.start, node.outer.stop))
            # A block as a whole starts where its first entry does, and is more than that entry.
            if isinstance(node, Scalar | Alias) or node.flow:
                self.ends[source.row_of(node.outer.start)].append(node.outer.stop)
            if isinstance(node, Mapping):
                for entry in node.entries:
                    stop = max(entry.key.outer.stop, entry.value.outer.stop)
                    self.ends[source.row_of(entry.key.outer.start)].append(stop)
            if isinstance(node, Sequence) and not node.flow:
                items += [(item.outer.start, -item.outer.stop) for item in node.items]
        self.leaves = sorted(leaves)
        # Of the items that start at one place, `- - a`, the outermost comes first.
        self.items = sorted(items)

    def inside_a_scalar(self, offset: int) -> bool:
        """Tell whether a scalar goes on over this place."""
        before = bisect_left(self.leaves, (offset, 0)) - 1
        return before >= 0 and self.leaves[before][1] > offset

    def extent(self, row: int) -> Span | None:
        """Tell what a comment directly above a row covers."""
        if row > len(self.source.line_starts):
            return None
        line = self.source.line_span(row)
        found = _BLANKS.match(self.source.content, line.start, line.stop)
        start = found.end() if found else line.start
        document = _DOCUMENT.match(self.source.content, start, line.stop)
        if document is not None and start == line.start:
            start = document.end()
        if _DASH.match(self.source.content, start, line.stop) is not None:
            at = bisect_right(self.items, (start, 0))
            return Span(start, -self.items[at][1]) if at < len(self.items) else None
        ends = self.ends.get(row)
        return Span(start, max(ends)) if ends and start < line.stop else None
