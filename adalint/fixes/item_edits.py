"""Taking items out of a list in brackets, the same in Python, JSON and YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adalint.fixes.operations import Unplaceable
from adalint.source import Kind, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.source import Source


def cuts_of(source: Source, outer: Span, spans: Sequence[Span], gone: Sequence[bool]) -> list[Span]:
    """Give the bytes to delete from a list in brackets so that some of its items go; `spans` are those of all items.

    An item that has its lines to itself goes with them and their comment, any other with the comma before it.

    Raises:
        Unplaceable: nothing would stay, or a comment stands in the bytes that would go.
    """
    if all(gone):
        raise Unplaceable("the list would be empty")
    cuts: list[Span] = []
    first = gone.index(False)
    for number, span in enumerate(spans):
        if not gone[number]:
            continue
        lines = _own_lines(source, outer, span)
        if lines is not None and (number + 1 < len(spans) or source.kind is not Kind.JSON):
            cuts.append(lines)
            continue
        gap = Span(span.start, spans[number + 1].start) if number < first else Span(spans[number - 1].stop, span.stop)
        around = source.content[gap.start : span.start] + source.content[span.stop : gap.stop]
        if b"#" in around:
            raise Unplaceable("a comment stands beside an item that would go")
        cuts.append(gap)
    return cuts


def _own_lines(source: Source, outer: Span, span: Span) -> Span | None:
    """Give the lines of an item that shares them with nothing but its comma and its comment."""
    start = source.line_starts[source.row_of(span.start) - 1]
    last = source.row_of(span.stop)
    if start <= outer.start or last >= len(source.line_starts) or source.line_starts[last] > outer.stop:
        return None
    rest = source.content[span.stop : source.line_starts[last]].strip()
    rest = rest.removeprefix(b",").strip()
    alone = not source.content[start : span.start].strip() and (not rest or rest.startswith(b"#"))
    return Span(start, source.line_starts[last]) if alone else None
