"""How a JSON or YAML text is laid out, worked out once per text: lines, comments, and parts that can be read alone."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from adalint.readers.mappings import read_tree
from adalint.readers.tree import Alias, Entry, Mapping, Node, Scalar, Sequence, nodes
from adalint.readers.yaml_reader import gaps
from adalint.source import Kind, Span

if TYPE_CHECKING:
    from collections import abc

    from adalint.readers.tree import Tree
    from adalint.source import Source

BREAK: Final = re.compile(rb"\r\n|\r|\n|\xc2\x85|\xe2\x80[\xa8\xa9]")
_ENDS: Final = (b"\n", b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
_AT_START: Final = rb"(?:^|(?<=[\r\n])|(?<=\xc2\x85)|(?<=\xe2\x80[\xa8\xa9]))"
_DOCUMENT: Final = re.compile(_AT_START + rb"(?:---|\.\.\.)(?=[ \t\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]|\Z)")
"""Where a document starts, or ends."""

_DIRECTIVE: Final = re.compile(_AT_START + rb"%")
"""What speaks of the document after it."""

_SPACES: Final = re.compile(rb" *")
_DASH: Final = re.compile(rb" *-[ \t]*")


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes that mean by themselves what they mean in their text, and what they hold: nodes, or brackets around some.

    That stays so for edits between `start` and the end of the span that leave one value of the same form. `aliases` are
    those in it, whose anchors stand before it.
    """

    span: Span
    start: int
    holds: tuple[Node | str, ...]
    aliases: tuple[Alias, ...] = ()


class Layout:
    """What a text holds, found by its offsets."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tree = read_tree(source)
        self.mappings: dict[Span, Mapping] = {}
        leaves: list[Scalar | Alias] = []
        for node in nodes(self.tree):
            if isinstance(node, Mapping):
                self.mappings.setdefault(node.span, node)
            elif isinstance(node, Scalar | Alias):
                leaves.append(node)
        breaks = [match.span() for match in BREAK.finditer(source.content)]
        self._line_stops = [start for start, _ in breaks]
        self._line_starts = [0, *(stop for _, stop in breaks)]
        self._leaves = sorted(
            (leaf for leaf in leaves if leaf.outer.start < leaf.outer.stop), key=lambda leaf: leaf.outer
        )
        self._comments = list(comments(source, self.tree)) if source.kind is Kind.YAML else []
        self._aliases = [leaf for leaf in self._leaves if isinstance(leaf, Alias)]
        self._anchors = sorted(anchor.outer.start for anchor in self.tree.anchors if anchor.outer is not None)
        self._documents = list(_DOCUMENT.finditer(source.content))
        self._directed = _DIRECTIVE.search(source.content) is not None

    def line_start(self, offset: int) -> int:
        """Give the first byte of a line, as YAML counts lines."""
        return self._line_starts[bisect_right(self._line_starts, offset) - 1]

    def line_stop(self, offset: int) -> int:
        """Give the byte after the last of a line, without its break."""
        at = bisect_left(self._line_stops, offset)
        return self._line_stops[at] if at < len(self._line_stops) else len(self.source.content)

    def next_line(self, offset: int) -> int:
        """Give the first byte of the line after."""
        at = bisect_left(self._line_stops, offset)
        return self._line_starts[at + 1] if at < len(self._line_stops) else len(self.source.content)

    def comment_in(self, start: int, stop: int) -> Span | None:
        """Give the first comment that starts between two bytes."""
        at = bisect_left(self._comments, start, key=lambda comment: comment.start)
        return self._comments[at] if at < len(self._comments) and self._comments[at].start < stop else None

    def leaf_before(self, offset: int) -> Scalar | Alias | None:
        """Give the last scalar or alias that starts before a byte; those before it have ended."""
        at = bisect_left(self._leaves, offset, key=_outer_start)
        return self._leaves[at - 1] if at else None

    def whole(self) -> Part:
        """Give the text as a part of itself."""
        return Part(Span(0, len(self.source.content)), 0, self.tree.documents)

    def part_around(self, mapping: Mapping) -> Part:
        """Find the smallest part around a mapping: itself in JSON, in YAML an entry, an item or a document.

        An entry or item of a block reaches over its lines up to the next one; it can be read alone, indented as it
        is, when no anchor in it feeds the rest. A document can when no directive speaks of it.
        """
        if self.source.kind is Kind.JSON:
            return Part(mapping.span, mapping.span.start, (mapping,))
        documents = self.tree.documents
        if self._directed or not documents:
            return self.whole()
        at = mapping.span.start
        node = documents[max(bisect_right(documents, at, key=lambda document: document.outer.start) - 1, 0)]
        number = bisect_right(self._documents, node.outer.start, key=re.Match.start)
        before = self._documents[number - 1] if number else None
        start = 0 if before is None else before.end() if before[0] == b"..." else before.start()
        stop = self._documents[number].start() if number < len(self._documents) else len(self.source.content)
        document = part = Part(Span(start, stop), start, (node,))
        while node is not mapping and isinstance(node, Mapping | Sequence) and not node.flow:
            children: abc.Sequence[Entry | Node] = node.entries if isinstance(node, Mapping) else node.items
            index = bisect_right(children, at, key=_start) - 1
            line = self._line_of(children[index]) if index >= 0 else None
            after = self._line_of(children[index + 1]) if index + 1 < len(children) else stop
            if line is None or after is None:
                break
            child, stop = children[index], after
            if isinstance(child, Entry):
                node = child.value if child.value.outer.start <= at else child.key
                holds: tuple[Node | str, ...] = ("{", child.key, child.value, "}")
            else:
                node, holds = child, ("[", child, "]")
            if bisect_left(self._anchors, line) == bisect_left(self._anchors, stop):
                part = Part(Span(line, stop), _start(child), holds)
        return part if part is document else replace(part, aliases=self._aliases_in(part.span))

    def _aliases_in(self, span: Span) -> tuple[Alias, ...]:
        first, last = (bisect_left(self._aliases, at, key=_outer_start) for at in (span.start, span.stop))
        return tuple(self._aliases[first:last])

    def ends_like(self, part: Part, content: bytes) -> bool:
        """Tell whether the new content of a part ends its last line where the text goes on behind it."""
        return part.span.stop == len(self.source.content) or self.source.kind is Kind.JSON or content.endswith(_ENDS)

    def _line_of(self, child: Entry | Node) -> int | None:
        """Give the first byte of the line that an entry or item of a block opens; None when more stands before it."""
        start = _start(child)
        line = self.line_start(start)
        before = _SPACES if isinstance(child, Entry) else _DASH
        return line if before.fullmatch(self.source.content, line, start) else None


@functools.lru_cache(maxsize=4)
def layout_of(source: Source) -> Layout:
    """Lay out a text.

    Raises:
        ReadError: it is not what its kind says.
    """
    return Layout(source)


def comments(source: Source, tree: Tree) -> abc.Iterator[Span]:
    """Find the comments of a YAML text: a `#` outside all scalars, up to the end of its line."""
    for gap in gaps(source, [node.outer for node in nodes(tree) if isinstance(node, Scalar | Alias)]):
        at = gap.start
        while (start := source.content.find(b"#", at, gap.stop)) >= 0:
            found = BREAK.search(source.content, start)
            at = found.start() if found else len(source.content)
            yield Span(start, at)


def _outer_start(node: Node) -> int:
    return node.outer.start


def _start(child: Entry | Node) -> int:
    return child.key.outer.start if isinstance(child, Entry) else child.outer.start
