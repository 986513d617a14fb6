"""One array of the Language Server Protocol's `PublishDiagnosticsParams`, as an editor plugin consumes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adalint.findings import Severity
from adalint.report.words import STDIN
from adalint.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.findings import Finding, Fix, Report
    from adalint.source import Source, Span

SEVERITIES = {Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}


def render(reports: Iterable[Report]) -> str:
    """Give the array, one entry for each file judged; positions count from 0 in UTF-16 units.

    Positions and edits of a notebook are those of its file, since only an editor knows the documents of its cells.
    A file without findings has an empty entry, so that an editor takes its old marks away.
    """
    return json.dumps([_publication(_in_file(report)) for report in reports], indent=2) + "\n"


def _in_file(report: Report) -> Report:
    if report.source.kind is not Kind.NOTEBOOK:
        return report
    from adalint.notebook import in_file

    return in_file(report)


def _publication(report: Report) -> dict[str, Any]:
    uri = _uri(report.source.path)
    return {"uri": uri, "diagnostics": [_diagnostic(report.source, uri, finding) for finding in report.findings]}


def _diagnostic(source: Source, uri: str, finding: Finding) -> dict[str, Any]:
    return {
        "range": _range(source, finding.span),
        "severity": SEVERITIES[finding.severity],
        "code": finding.code,
        "source": "adalint",
        "message": finding.message,
        "relatedInformation": [
            {"location": {"uri": uri, "range": _range(source, related.span)}, "message": related.message}
            for related in finding.related
        ],
        "data": {"name": finding.name, "fixes": [_fix(source, fix) for fix in finding.fixes]},
    }


def _fix(source: Source, fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "effect": str(fix.effect),
        "applicability": fix.safety.name.lower(),
        "edits": [{"range": _range(source, edit.span), "newText": edit.text} for edit in fix.edits],
    }


def _range(source: Source, span: Span) -> dict[str, dict[str, int]]:
    return {"start": _position(source, span.start), "end": _position(source, span.stop)}


def _position(source: Source, offset: int) -> dict[str, int]:
    line, character = source.utf16_position(offset)
    return {"line": line, "character": character}


def _uri(path: str) -> str:
    return "untitled:stdin" if path == STDIN else Path(path).absolute().as_uri()
