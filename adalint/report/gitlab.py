"""GitLab's Code Quality report: findings in the widget and the changes of a merge request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from adalint.findings import Severity
from adalint.report.places import cell_of, checkout, fingerprints, in_file, path_from, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from adalint.findings import Report

SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "critical",
    Severity.WARNING: "major",
    Severity.INFO: "info",
}
"""GitLab's words: an error raises or destroys an adapter, a warning trains something else than was meant."""


def render(reports: Iterable[Report]) -> str:
    """Give one array; paths count from the checkout, and a finding keeps its fingerprint when other lines change.

    Of a notebook, lines are those of its JSON, for that is what a merge request shows; the description names the cell.
    """
    root = checkout()
    return json.dumps([issue for report in reports for issue in _issues(report, root)], indent=2) + "\n"


def _issues(report: Report, root: str) -> Iterator[dict[str, Any]]:
    path = path_from(root, report.source.path)
    placed = in_file(report)
    for finding, place, mark in zip(report.findings, placed.findings, fingerprints(report, path), strict=True):
        cell = cell_of(report.source, finding)
        yield {
            "description": f"{finding.name}: {printable(finding.message)}" + (f" ({cell})" if cell else ""),
            "check_name": finding.code,
            "fingerprint": mark,
            "severity": SEVERITIES[finding.severity],
            "location": {
                "path": path,
                "lines": {"begin": placed.start(place).row, "end": placed.end(place).row},
            },
        }
