"""The Reviewdog Diagnostic Format: comments on pull requests of any service, with suggestions to accept."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from adalint.findings import Safety, Severity
from adalint.report.places import cell_of, in_file, printable, relative_path
from adalint.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from adalint.findings import Fix, Report
    from adalint.source import Source

SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "ERROR",
    Severity.WARNING: "WARNING",
    Severity.INFO: "INFO",
}


def render(reports: Iterable[Report]) -> str:
    """Give one `DiagnosticResult`; lines and columns count from 1, columns in bytes of UTF-8, as the format has it.

    Paths count from the working directory, as reviewdog reads them. The suggestion is the best fix that adalint itself
    would write, safe or not, as one replacement. Of a notebook, all places are those of its JSON.
    """
    diagnostics = [one for report in reports for one in _diagnostics(report)]
    return json.dumps({"source": {"name": "adalint"}, "diagnostics": diagnostics}, indent=2) + "\n"


def _diagnostics(report: Report) -> Iterator[dict[str, Any]]:
    placed = in_file(report)
    source = placed.source
    path = relative_path(source.path)
    for finding, place in zip(report.findings, placed.findings, strict=True):
        cell = cell_of(report.source, finding)
        diagnostic: dict[str, Any] = {
            "message": f"{finding.name}: {printable(finding.message)}" + (f" ({cell})" if cell else ""),
            "location": {"path": path, "range": _range(source, place.span)},
            "severity": SEVERITIES[finding.severity],
            "code": {"value": finding.code},
        }
        if place.related:
            diagnostic["related_locations"] = [
                {
                    "message": printable(related.message),
                    "location": {"path": path, "range": _range(source, related.span)},
                }
                for related in place.related
            ]
        fix = place.fix_for(Safety.UNSAFE)
        if fix:
            diagnostic["suggestions"] = [_suggestion(source, fix)]
        yield diagnostic


def _suggestion(source: Source, fix: Fix) -> dict[str, Any]:
    """Give a fix as one replacement: suggestions of their own would each be accepted alone."""
    edits = sorted(fix.edits)
    pieces = [edits[0].text]
    for before, edit in pairwise(edits):
        pieces += (source.slice(Span(before.span.stop, edit.span.start)), edit.text)
    whole = Span(edits[0].span.start, max(edit.span.stop for edit in edits))
    return {"range": _range(source, whole), "text": printable("".join(pieces))}


def _range(source: Source, span: Span) -> dict[str, dict[str, int]]:
    return {"start": _position(source, span.start), "end": _position(source, span.stop)}


def _position(source: Source, offset: int) -> dict[str, int]:
    row = source.row_of(offset)
    return {"line": row, "column": offset - source.line_starts[row - 1] + 1}
