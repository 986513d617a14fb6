"""One JSON array in the shape of ruff's, then adalint's own keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from adalint.report.words import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.findings import Finding, Fix, Report
    from adalint.source import Source, Span


def render(reports: Iterable[Report]) -> str:
    """Give the array; rows and columns count from 1, columns in characters.

    In a notebook rows count within the cell that `cell` names, from 1 among all cells; so do related places and edits.
    """
    found = [as_object(report.source, finding) for report in reports for finding in report.findings]
    return json.dumps(found, indent=2) + "\n"


def as_object(source: Source, finding: Finding) -> dict[str, Any]:
    """Give one finding as the array and the lines of `jsonl` have it."""
    best = finding.fixes[0] if finding.fixes else None
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": str(finding.severity),
        "message": finding.message,
        "filename": shown_path(source.path),
        "location": _location(source, finding.span.start),
        "end_location": _location(source, finding.span.stop),
        "cell": source.position(finding.span.start).cell,
        "url": None,
        "fix": _fix(source, best) if best else None,
        "effect": str(best.effect) if best else None,
        "related": [
            {
                "message": related.message,
                **_cell(source, related.span),
                "location": _location(source, related.span.start),
                "end_location": _location(source, related.span.stop),
            }
            for related in finding.related
        ],
        "alternatives": [{**_fix(source, fix), "effect": str(fix.effect)} for fix in finding.fixes[1:]],
    }


def _fix(source: Source, fix: Fix) -> dict[str, Any]:
    return {
        "applicability": fix.safety.name.lower(),
        "message": fix.title,
        "edits": [
            {
                "content": edit.text,
                **_cell(source, edit.span),
                "location": _location(source, edit.span.start),
                "end_location": _location(source, edit.span.stop),
            }
            for edit in fix.edits
        ],
    }


def _cell(source: Source, span: Span) -> dict[str, int]:
    cell = source.position(span.start).cell
    return {} if cell is None else {"cell": cell}


def _location(source: Source, offset: int) -> dict[str, int]:
    position = source.position(offset)
    return {"row": position.row, "column": position.column}
