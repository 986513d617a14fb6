"""What can still be said of a text whose syntax is broken: the findings from before, outside the broken statement."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.lsp.drift import Drift
from adalint.lsp.judging import without_fixes
from adalint.readers.errors import ReadError
from adalint.readers.python_syntax import parse
from adalint.source import Kind, Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adalint.findings import Finding
    from adalint.lsp.documents import Part
    from adalint.lsp.judging import Judged


def with_last(judged: Judged, last: Judged, drifts: Mapping[str, Drift]) -> Judged:
    """Put in what was found before the text broke and still stands, where it stands now."""
    if judged.parsed or not judged.snapshot.parts:
        return judged
    before, findings = last.snapshot, last.findings
    unread = [finding.span for finding in judged.findings if finding.code == "ADA901"]
    kept: list[Finding] = []
    for part in judged.snapshot.parts:
        errors = [span for span in unread if judged.snapshot.part_at(span.start) is part]
        old = before.part_of(part.uri)
        if errors and old is not None:
            inside = [one for one in findings if before.part_at(one.span.start) is old]
            kept += _still(inside, old, part, drifts.get(part.uri, Drift()), errors, judged.snapshot.kind)
    known = {(one.code, one.span) for one in judged.findings}
    kept = [one for one in kept if (one.code, one.span) not in known]
    return replace(judged, findings=tuple(sorted((*judged.findings, *kept), key=lambda one: (one.span, one.code))))


def _still(
    findings: Iterable[Finding], old: Part, new: Part, drift: Drift, errors: Sequence[Span], kind: Kind
) -> Iterable[Finding]:
    """Give the findings of one document outside the statements that were edited, carried to where they are now."""
    content = old.text.content
    dead = [_statement_around(hunk.old, content, kind) for hunk in drift.hunks]
    for finding in findings:
        places = [finding.span, *(one.span for one in finding.related)]
        if finding.code == "ADA901" or not all(old.span.contains(place) for place in places):
            continue
        inside = _shifted(finding.span, old.lead - old.start)
        if any(inside.start < span.stop and span.start < inside.stop for span in dead):
            continue
        moved = [drift.carry(_shifted(place, old.lead - old.start)) for place in places]
        spans = [new.place(place) for place in moved if place is not None]
        if len(spans) < len(places) or any(_meet(spans[0], error) for error in errors):
            continue
        related = tuple(replace(one, span=span) for one, span in zip(finding.related, spans[1:], strict=True))
        yield without_fixes(replace(finding, span=spans[0], related=related))


def _shifted(span: Span, by: int) -> Span:
    return Span(span.start + by, span.stop + by)


def _meet(one: Span, other: Span) -> bool:
    return one.start < max(other.stop, other.start + 1) and other.start < max(one.stop, one.start + 1)


def _statement_around(place: Span, content: bytes, kind: Kind) -> Span:
    """Give the innermost statement of Python that holds a place; the lines of the place in other texts."""
    source = Source("", Kind.PYTHON, content)
    lines = Span(source.line_span(source.row_of(place.start)).start, source.line_span(source.row_of(place.stop)).stop)
    if kind not in {Kind.PYTHON, Kind.NOTEBOOK}:
        return lines
    try:
        statements = [node for node in ast.walk(parse(source)) if isinstance(node, ast.stmt)]
    except ReadError:
        return lines
    found = lines
    narrowest = len(content) + 1
    for node in statements:
        start = source.offset_at(node.lineno, node.col_offset)
        stop = source.offset_at(node.end_lineno or node.lineno, node.end_col_offset or 0)
        if start <= place.start and place.stop <= stop and stop - start < narrowest:
            found, narrowest = Span(min(start, lines.start), max(stop, lines.stop)), stop - start
    return found
