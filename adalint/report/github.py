"""Workflow commands of GitHub Actions, a line for each finding: annotations on the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adalint.findings import Severity
from adalint.report.places import cell_of, checkout, in_file, path_from
from adalint.report.words import STDIN, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from adalint.findings import Finding, Report

COMMANDS: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
}

_IN_MESSAGE: Final[dict[str, str | int | None]] = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY: Final[dict[str, str | int | None]] = {**_IN_MESSAGE, ":": "%3A", ",": "%2C"}


def render(reports: Iterable[Report]) -> str:
    """Give `::error file=…,line=…,col=…,endLine=…,endColumn=…,title=…::message` lines; nothing without findings.

    Paths count from the checkout. Of a notebook, the line is that of its JSON, for that is what a pull request shows;
    the title names the cell. A finding over several lines has no columns, which GitHub takes within one line only, and
    one on standard input has no place.
    """
    root = checkout()
    return "".join(line for report in reports for line in _lines(report, root))


def _lines(report: Report, root: str) -> Iterator[str]:
    placed = in_file(report)
    for finding, place in zip(report.findings, placed.findings, strict=True):
        title = f"{finding.code} {finding.name}"
        if cell := cell_of(report.source, finding):
            title += f" ({cell})"
        properties = {**_place(placed, place, root), "title": title}
        told = ",".join(f"{key}={_escaped(value, _IN_PROPERTY)}" for key, value in properties.items())
        yield f"::{COMMANDS[finding.severity]} {told}::{_escaped(finding.message, _IN_MESSAGE)}\n"


def _place(report: Report, finding: Finding, root: str) -> dict[str, str]:
    if report.source.path == STDIN:
        return {}
    start, end = report.start(finding), report.end(finding)
    place = {"file": path_from(root, report.source.path), "line": str(start.row)}
    if end.row != start.row:
        return {**place, "endLine": str(end.row)}
    return {**place, "col": str(start.column), "endLine": str(end.row), "endColumn": str(end.column)}


def _escaped(text: str, table: dict[str, str | int | None]) -> str:
    # What a terminal would act on is spelled out first: the log of a job shows colours and obeys escapes.
    shown = "\n".join(map(harmless, text.split("\n")))
    return shown.translate(str.maketrans(table))
