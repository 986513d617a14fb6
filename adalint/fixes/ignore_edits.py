"""Placing suppressions: words that silence findings, joined to a comment that is there, or on a line of their own."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from adalint.source import Edit, Kind, Span
from adalint.suppress import OWN_CODES, Directive, Rows, directives_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.findings import Finding
    from adalint.source import Source

_CODE: Final = re.compile(r"[A-Z]+\d+")
_OF_NEXT_LINE: Final = re.compile(
    r"#\s*(?:pylint:\s*disable-next|nosemgrep|noinspection|pyre-|pyright:|type:\s*ignore|yamllint disable|.*next-line)"
)
"""Comments of other tools that speak of the line below, so that nothing may come between."""


def reason_against(finding: Finding, source: Source) -> str | None:
    """Say why no comment is to silence a finding; None when one may."""
    if source.kind is Kind.JSON:
        return "JSON has no comments"
    if finding.code in OWN_CODES:
        return "a suppression is mended, not silenced: `adalint fix`"
    if finding.code in {"ADA901", "ADA904"}:
        return "what cannot be read has no place for a comment"
    return None


def silencing(source: Source, findings: Sequence[Finding]) -> list[Edit] | None:
    """Write suppressions for findings; give the edits, None when one of them has no place for a comment."""
    if source.kind is Kind.PYTHON:
        from adalint.readers.python_comments import anchors
    elif source.kind is Kind.SHELL:
        from adalint.readers.shell_comments import anchors
    else:
        from adalint.readers.yaml_comments import anchors

    places = anchors(source)
    rows = Rows(source, [one for one in directives_of(source) if not one.of_file and one.verb == "ignore"])
    joined: dict[Span, tuple[Directive, list[Finding]]] = {}
    above: dict[int, list[Finding]] = defaultdict(list)
    for finding in findings:
        directive = _nearest(finding, rows)
        if directive is not None:
            joined.setdefault(directive.span, (directive, []))[1].append(finding)
            continue
        row = _row_above_which(places, finding.span.start)
        if row is None:
            return None
        above[row].append(finding)
    edits = [_join(source, directive, silenced) for directive, silenced in joined.values()]
    return [*edits, *(_line_above(source, row, silenced) for row, silenced in above.items())]


def _row_above_which(places: Sequence[tuple[Span, int]], offset: int) -> int | None:
    """Find the row above which a comment covers a place, and as little else as possible; None when there is none."""
    at = bisect_right(places, offset, key=lambda place: place[0].start)
    before = (places[index] for index in range(at - 1, -1, -1))
    return next((row for extent, row in before if offset < extent.stop), None)


def _nearest(finding: Finding, rows: Rows) -> Directive | None:
    """Give the suppression that reaches a finding, and little else beside, and can take another word."""
    fitting = [one for one in rows.around(finding) if _can_grow(one, rows.source)]
    return min(fitting, key=lambda one: _breadth(one.comment.covers), default=None)


def _breadth(covers: Span | None) -> int:
    return 0 if covers is None else covers.stop - covers.start


def _can_grow(directive: Directive, source: Source) -> bool:
    """Tell whether words can be added: between its brackets, or in brackets of their own right behind the word."""
    text = source.slice(Span(directive.span.start, directive.comment.span.stop))
    return directive.complaint is None or "[" not in text or source.slice(directive.span).endswith("]")


def _join(source: Source, directive: Directive, findings: Sequence[Finding]) -> Edit:
    codes = bool(directive.words) and all(_CODE.fullmatch(word.text) for word in directive.words)
    added = ", ".join(dict.fromkeys(finding.code if codes else finding.name for finding in findings))
    if directive.words:
        end = directive.words[-1].span.stop
        return Edit(Span(end, end), f", {added}")
    if source.slice(directive.span).endswith("]"):
        return Edit(Span(directive.span.stop - 1, directive.span.stop - 1), added)
    return Edit(Span(directive.span.stop, directive.span.stop), f"[{added}]")


def _line_above(source: Source, row: int, findings: Sequence[Finding]) -> Edit:
    line = source.slice(source.line_span(row))
    indent = line[: len(line) - len(line.lstrip(" \t\f"))]
    names = ", ".join(dict.fromkeys(finding.name for finding in findings))
    while row > 1 and _OF_NEXT_LINE.match(source.slice(source.line_span(row - 1)).lstrip()):
        row -= 1
    start = source.line_starts[row - 1]
    return Edit(Span(start, start), f"{indent}# adalint: ignore[{names}]{source.newline}")
