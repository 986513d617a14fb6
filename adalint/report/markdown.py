"""A table in GitHub's Markdown, for the summary of a job or a comment on a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.findings import Safety, Severity
from adalint.report.concise import place_of
from adalint.report.places import printable
from adalint.report.words import counted, one_line, said, tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.findings import Finding, Report

LIMIT: Final = 60_000
"""Characters at most. GitHub takes 65,536 in a comment, and 1 MiB in a summary; what is left is the caller's."""

LONGEST: Final = 2_000
"""Characters of one message at most, so that one finding does not push out the others."""

_ORDER: Final = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_MEANINGFUL: Final = re.compile(r"[\\`*_\[\]<>&|~#!$@]")


def render(reports: Iterable[Report], *, language: str = "en") -> str:
    """Give a headline with the counts, then a row for each finding, errors first.

    What does not fit is counted in the last line. Places in a notebook are its cell, row and column.
    """
    found = [(report, finding) for report in reports for finding in report.findings]
    if not found:
        return f"### adalint: {said('nothing to report', language)}\n"
    found.sort(key=lambda one: _ORDER.index(one[1].severity))
    files = counted(len({report.source.path for report, _ in found}), "file", language)
    counts = tally((finding for _, finding in found), language)
    told = said("Found: {tally} in {files}.", language, tally=counts, files=files)
    heads = [said(head, language) for head in ("severity", "where", "name", "What it says", "fixes")]
    lines = ["### adalint", "", told, "", _row(heads), _row(["---"] * len(heads))]
    room = LIMIT - sum(len(line) + 1 for line in lines) - 200
    shown = 0
    for report, finding in found:
        line = _row(_cells(report, finding, language))
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
        shown += 1
    if shown < len(found):
        more = counted(len(found) - shown, "finding", language)
        lines += ["", said("Not shown here: {findings}. `adalint check` shows all.", language, findings=more)]
    return "\n".join([*lines, ""])


def _cells(report: Report, finding: Finding, language: str) -> list[str]:
    fix = finding.fix_for(Safety.UNSAFE)
    kind = "" if fix is None else said("safe fix" if fix.safety is Safety.SAFE else "unsafe fix", language)
    return [
        said(str(finding.severity), language),
        _code(place_of(report, finding.span.start)),
        f"{finding.code} {finding.name}",
        _text(finding.message),
        "" if fix is None else f"{kind}: {_text(fix.title)}",
    ]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Make a place, which ends with a number, a span of code: GitHub sees no emoji in its `:100:`."""
    shown = printable(text).replace("|", "\\|")
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown.startswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _text(text: str) -> str:
    """Make a text one line that means nothing in Markdown or HTML, and names nobody on GitHub."""
    shown = printable(one_line(text))
    if len(shown) > LONGEST:
        shown = f"{shown[:LONGEST]} …"
    # An `@` of its own element calls nobody.
    return _MEANINGFUL.sub(lambda match: "<span>@</span>" if match[0] == "@" else f"\\{match[0]}", shown)
