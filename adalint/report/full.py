"""Findings for people: the lines in question with the places underlined, what PEFT does, and how to mend it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from adalint.findings import Safety, Severity
from adalint.report.concise import place_of
from adalint.report.words import EFFECTS, harmless, one_line, said, shown_path, ways_to_take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from adalint.findings import Finding, Fix, Report
    from adalint.source import Source, Span

WIDTH: Final = 100
"""Columns of a quoted line; what is further from the underlined place is cut."""

TAB: Final = "    "
_LEAD: Final = 24
_LEAST: Final = 40

_COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def render(reports: Iterable[Report], *, colour: bool = False, language: str = "en", columns: int | None = None) -> str:
    """Give a paragraph for each finding; a quoted line stays within `columns`, those of a terminal, and WIDTH."""
    style = _styled if colour else _plain
    return "".join(
        "\n".join(_paragraph(report, finding, style, language, columns)) + "\n\n"
        for report in reports
        for finding in report.findings
    )


def _paragraph(
    report: Report, finding: Finding, style: Callable[[str, str], str], language: str, columns: int | None
) -> Iterator[str]:
    source = report.source
    colour = _COLOURS[finding.severity]
    severity = said(str(finding.severity), language)
    yield f"{style(f'{severity}[{finding.code}]', colour)} {finding.name}: {one_line(finding.message)}"
    places = [(finding.span, "", "^"), *((related.span, related.message, "-") for related in finding.related)]
    rows = [source.row_of(span.start) for span, _, _ in places]
    margin = " " * max(len(str(source.position(span.start).row)) for span, _, _ in places)
    bar = f"{margin} {style('|', 'blue')}"
    room = WIDTH if columns is None else max(_LEAST, min(WIDTH, columns - len(margin) - len(" | ")))
    yield f"{margin} {style('-->', 'blue')} {place_of(report, finding.span.start)}"
    if source.content:
        yield bar
        shown = 0
        cell = source.position(finding.span.start).cell
        for row, (span, label, mark) in sorted(zip(rows, places, strict=True), key=lambda place: place[0]):
            line, indent, underline = _quote(source, row, span, mark, room)
            place = source.position(span.start)
            if place.cell != cell:
                yield f"{margin} {style(':::', 'blue')} {place_of(report, span.start)}"
            elif shown and row > shown + 1:
                yield style("...", "blue")
            cell = place.cell
            if row != shown:
                yield f"{style(f'{place.row:>{len(margin)}}', 'blue')} {style('|', 'blue')} {line}".rstrip()
            below = style(underline, colour if mark == "^" else "blue")
            yield f"{bar} {indent}{below} {one_line(label)}".rstrip()
            shown = row
    if finding.fixes:
        yield bar
    for fix in finding.fixes:
        yield f"{margin} {style('=', 'blue')} {_fix(fix, style, language)}"
        if fix.why:
            yield f"{margin}   {said('not placed: {reason}', language, reason=one_line(fix.why))}"
        leads = (said("to take it:", language), said("        or:", language))
        for lead, way in zip(leads, ways_to_take(fix, finding, shown_path(source.path)), strict=False):
            yield f"{margin}   {lead} {one_line(way)}"


_KINDS: Final = {Safety.SAFE: "safe fix", Safety.UNSAFE: "unsafe fix", Safety.DISPLAY: "advice"}


def _fix(fix: Fix, style: Callable[[str, str], str], language: str) -> str:
    kind = said(_KINDS[fix.safety], language)
    colour = {Safety.SAFE: "green", Safety.UNSAFE: "yellow", Safety.DISPLAY: "cyan"}[fix.safety]
    words = {"title": one_line(fix.title), "effect": said(EFFECTS[fix.effect], language)}
    return said("{kind}: {title} ({effect})", language, kind=style(kind, colour), **words)


def _quote(source: Source, row: int, span: Span, mark: str, width: int) -> tuple[str, str, str]:
    """Give a line as a terminal shows it, cut around the place, then the blanks and the marks that go under it."""
    whole = source.line_span(row)
    stop = max(span.start, min(span.stop, whole.stop))
    before, inside, after = (
        _cells(source.content[start:end].decode(errors="replace"))
        for start, end in ((whole.start, span.start), (span.start, stop), (stop, whole.stop))
    )
    dropped = len(before) - _LEAD if _width(before) + _width(inside) > width and len(before) > _LEAD else 0
    if dropped:
        before = ["…", *before[dropped:]]
    line = _cut([*before, *inside, *after], width)
    room = max(_width(line) - _width(before), 1)
    return "".join(line), " " * _width(before), mark * max(1, min(_width(inside), room))


def _cells(text: str) -> list[str]:
    return [TAB if character == "\t" else harmless(character) for character in text]


def _cut(cells: list[str], most: int) -> list[str]:
    if _width(cells) <= most:
        return cells
    width = 0
    for index, cell in enumerate(cells):
        width += display_width(cell)
        if width >= most:
            return [*cells[:index], "…"]
    return cells


def _width(cells: Iterable[str]) -> int:
    return sum(map(display_width, cells))


def display_width(text: str) -> int:
    """Tell how many columns of a terminal a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _plain(text: str, _: str) -> str:
    return text


def _styled(text: str, colour: str) -> str:
    import click

    return click.style(text, fg=colour, bold=True)
