"""One line for each finding, for logs and for tools that read `path:row:column:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adalint.report.words import harmless, one_line, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.findings import Report
    from adalint.source import Position


def render(reports: Iterable[Report]) -> str:
    """Give `path:row:column: CODE name message` for each finding."""
    return "".join(
        f"{place_of(report, finding.span.start)}: {finding.code} {finding.name} {one_line(finding.message)}\n"
        for report in reports
        for finding in report.findings
    )


def place_of(report: Report, offset: int) -> str:
    """Give `path:row:column` of a byte offset."""
    return at(report.source.path, report.source.position(offset))


def at(path: str, position: Position) -> str:
    """Give `path:row:column` of a position, `path:cell 3:row:column` in a notebook."""
    cell = "" if position.cell is None else f":cell {position.cell}"
    return f"{harmless(shown_path(path))}{cell}:{position.row}:{position.column}"
