"""One array of the Language Server Protocol's `PublishDiagnosticsParams`, as an editor plugin consumes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from adalint.findings import Severity
from adalint.report.places import in_file
from adalint.report.words import STDIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from adalint.findings import Finding, Fix, Report
    from adalint.source import Source, Span

Location: TypeAlias = dict[str, Any]
"""The `uri` of a document and a `range` in it."""

SEVERITIES = {Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}


def render(reports: Iterable[Report]) -> str:
    """Give the array, one entry for each file judged; positions count from 0 in UTF-16 units.

    Positions and edits of a notebook are those of its file, since only an editor knows the documents of its cells.
    A file without findings has an empty entry, so that an editor takes its old marks away.
    """
    return json.dumps([_publication(in_file(report)) for report in reports], indent=2) + "\n"


def _publication(report: Report) -> dict[str, Any]:
    uri = _uri(report.source.path)

    def locate(span: Span) -> Location:
        return {"uri": uri, "range": _range(report.source, span)}

    return {"uri": uri, "diagnostics": [diagnostic(finding, locate) for finding in report.findings]}


def diagnostic(finding: Finding, locate: Callable[[Span], Location]) -> dict[str, Any]:
    """Give a finding as a `Diagnostic`; `locate` tells where in which document a span is."""
    return {
        "range": locate(finding.span)["range"],
        "severity": SEVERITIES[finding.severity],
        "code": finding.code,
        "source": "adalint",
        "message": finding.message,
        "relatedInformation": [
            {"location": locate(related.span), "message": related.message} for related in finding.related
        ],
        "data": {"name": finding.name, "fixes": [_fix(fix, locate) for fix in finding.fixes]},
    }


def _fix(fix: Fix, locate: Callable[[Span], Location]) -> dict[str, Any]:
    return {
        "title": fix.title,
        "effect": str(fix.effect),
        "applicability": fix.safety.name.lower(),
        "edits": [{"range": locate(edit.span)["range"], "newText": edit.text} for edit in fix.edits],
    }


def _range(source: Source, span: Span) -> dict[str, dict[str, int]]:
    return {"start": _position(source, span.start), "end": _position(source, span.stop)}


def _position(source: Source, offset: int) -> dict[str, int]:
    line, character = source.utf16_position(offset)
    return {"line": line, "character": character}


def _uri(path: str) -> str:
    return "untitled:stdin" if path == STDIN else Path(path).absolute().as_uri()
