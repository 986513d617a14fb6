"""`adalint explain`: tell what one configuration will do, and why."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from adalint.cli.options import shared
from adalint.cli.plan import check_assumptions, say_unreadable, shows_blocks, telling, told_by, wants_json

if TYPE_CHECKING:
    from adalint.cli.inputs import Input
    from adalint.cli.options import Request
    from adalint.planning import Planned, Told
    from adalint.site import Site
    from adalint.source import Source, Span
    from adalint.story import Chapter


@dataclass(frozen=True, slots=True)
class Place:
    """What the caller points at: a file, maybe a row and a column, and the cell of a notebook, all from 1."""

    path: str
    row: int | None = None
    column: int | None = None
    cell: int | None = None


def place_in(text: str) -> Place:
    """Read FILE, FILE:LINE, FILE:LINE:COL, the latter two behind `cell N:` in a notebook.

    A name with colons of its own wins where such a file exists.
    """
    trimmed = text.rstrip(":")
    if os.path.lexists(text):
        return Place(text)
    found = [Place(trimmed)]
    for pattern in (r"(.+):(\d{1,9})", r"(.+):(\d{1,9}):(\d{1,9})"):
        match = re.fullmatch(pattern, trimmed, re.DOTALL)
        if match:
            numbers = [int(number) for number in match.groups()[1:]]
            found.append(Place(match[1], *numbers))
            cell = re.fullmatch(r"(.+):cell (\d{1,9})", match[1], re.DOTALL)
            if cell:
                found.append(replace(Place(cell[1], *numbers), cell=int(cell[2])))
    return next((place for place in found if place.path == "-" or os.path.lexists(place.path)), found[-1])


def _alone(_: click.Context, __: click.Parameter, value: str) -> tuple[str]:
    return (value,)


@click.command()
@telling
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; docs/plan.md tells its keys.")
@partial(
    shared,
    paths=click.argument("paths", metavar="FILE[:LINE[:COL]]", callback=_alone),
)
def explain(request: Request, as_json: bool, **told: Any) -> None:
    """Tell the story of the configuration at a line of FILE: what PEFT reads, what happens at which step, how it ends.

    The line may be any of the configuration's own; it may be left out where FILE holds one only. Of
    standard input, `-`, the name that is told may end in a line: `--stdin-filename train.py:12`.
    """
    from adalint.cli.failure import Failure
    from adalint.cli.inputs import Inputs
    from adalint.cli.outputs import emit

    as_json = wants_json(request, as_json, "explain")
    known = told_by(**told)
    place = place_in(request.paths[0])
    if place.path == "-" and request.stdin_filename is not None:
        named = place_in(request.stdin_filename)
        request = replace(request, stdin_filename=named.path)
        place = replace(named, path="-") if place.row is None else place
    if os.path.isdir(place.path):
        raise Failure(f"{place.path}: is a folder; name a file and a line")
    request = replace(request, paths=(place.path,))
    inputs = Inputs(request)
    told_of: list[str] = []
    for text in inputs.texts():
        explained = partial(_explain, text, place, known, as_json=as_json, language=request.language)
        inputs.guard(text.source.path, lambda explained=explained: told_of.append(explained()))  # type: ignore[misc]
    say_unreadable(inputs.unreadable)
    if not told_of and not inputs.failed and not inputs.unreadable:
        raise Failure(f"{place.path}: no AdaLoRA configuration there")
    from adalint.report.chart import PLAIN

    plain = request.output_file is None and not shows_blocks()
    for one in told_of:
        emit(request, one.translate(PLAIN) if plain else one)
    click.get_current_context().exit(2 if inputs.failed or inputs.unreadable else 0)


def _explain(text: Input, place: Place, told: Told, *, as_json: bool, language: str) -> str:
    from adalint.cli.failure import Failure
    from adalint.planning import plan_source
    from adalint.readers.errors import ReadError

    try:
        plans = plan_source(text.source, text.settings, told)
    except ReadError as error:
        raise Failure(f"{text.source.path}: cannot be read: {error}") from None
    chosen = choose(text.source, plans, place)
    check_assumptions(chosen, told)
    stories = [(one, _tell(one, language)) for one in chosen]
    return _as_json(stories, language) if as_json else "\n".join(_as_text(*story, language) for story in stories)


def choose(source: Source, plans: list[Planned], place: Place) -> list[Planned]:
    """Choose the configuration at a place, in all its readings.

    Raises:
        Failure: there is none, or it cannot be told which is meant.
    """
    from adalint.cli.failure import Failure

    sites = [one.site for one in plans if one.reading == 1]
    if not sites:
        raise Failure(f"{source.path}: no AdaLoRA configuration there")
    found = _at(sites, place)
    if len(found) != 1:
        listed = ", ".join(_position(site) for site in (found or sites))
        what = f"line {place.row} holds" if found and place.row else "there are" if len(sites) > 1 else "there is"
        if place.row is None or found:
            raise Failure(f"{source.path}: {what} {len(found or sites)} configurations; name one of {listed}")
        raise Failure(f"{source.path}: no configuration at line {place.row}; there are some at {listed}")
    wanted = found[0]
    index = next(number for number, site in enumerate(sites) if site is wanted)
    groups: list[list[Planned]] = []
    for one in plans:
        if one.reading == 1:
            groups.append([])
        groups[-1].append(one)
    return groups[index]


def _at(sites: list[Site], place: Place) -> list[Site]:
    """List the configurations that a place may mean: the innermost around it, else those with a value written there."""
    if place.row is None:
        return sites
    if place.cell is not None:
        sites = [site for site in sites if site.source.position(site.span.start).cell == place.cell]
    around = [site for site in sites if place.row in _rows(site.source, site.span)]
    if place.column is not None:
        around = [site for site in around if _covers(site, place.row, place.column)] or around
    # One that holds another one is not the one that is meant.
    inner = [one for one in around if not any(_holds(one, other) for other in around)]
    return inner or [
        site
        for site in sites
        if any(
            place.row in _rows(site.source, span) for one in site.values.values() for span in (one.key_span, one.span)
        )
    ]


def _holds(one: Site, other: Site) -> bool:
    return one.source is other.source and one.span != other.span and one.span.contains(other.span)


def _rows(source: Source, span: Span) -> range:
    return range(source.position(span.start).row, source.position(max(span.start, span.stop - 1)).row + 1)


def _covers(site: Site, row: int, column: int) -> bool:
    start, stop = site.source.position(site.span.start), site.source.position(site.span.stop)
    return (start.row, start.column) <= (row, column) < (stop.row, stop.column)


def _position(site: Site) -> str:
    position = site.source.position(site.span.start)
    cell = "" if position.cell is None else f"cell {position.cell}:"
    return f"{cell}{position.row}:{position.column}"


def _tell(planned: Planned, language: str) -> list[Chapter]:
    from adalint.story import tell

    return tell(planned, language)


def _as_text(planned: Planned, chapters: list[Chapter], language: str) -> str:
    from adalint.report.plan_text import heading
    from adalint.report.words import EFFECTS, one_line, said

    lines = [heading(planned, language)]
    for chapter in chapters:
        lines += ["", chapter.title, *(f"  {one_line(line)}" for line in chapter.lines)]
    lines += ["", said("What adalint finds", language)]
    for finding in planned.findings:
        row = planned.source.position(finding.span.start).row
        words: dict[str, Any] = {"code": finding.code, "message": one_line(finding.message), "row": row}
        lines.append(f"  {said('{code} at line {row}: {message}', language, **words)}")
        lines += [
            "    "
            + said(
                "fix: {title} ({effect})",
                language,
                title=one_line(fix.title),
                effect=said(EFFECTS[fix.effect], language),
            )
            for fix in finding.fixes
        ]
        lines.append(f"    {said('more: `adalint rule {code}`', language, code=finding.code)}")
    if not planned.findings:
        lines.append(f"  {said('nothing to report', language)}")
    return "".join(f"{line}\n" for line in lines)


def _as_json(stories: list[tuple[Planned, list[Chapter]]], language: str) -> str:
    import json

    from adalint.report.plan_json import VERSION, entry

    told = [
        {
            "story": [{"title": chapter.title, "lines": list(chapter.lines)} for chapter in chapters],
            "findings": [_finding(planned, number) for number in range(len(planned.findings))],
            "plan": entry(planned),
        }
        for planned, chapters in stories
    ]
    return (
        json.dumps({"version": VERSION, "explained": told}, indent=2, ensure_ascii=language == "en", allow_nan=False)
        + "\n"
    )


def _finding(planned: Planned, number: int) -> dict[str, Any]:
    finding = planned.findings[number]
    position = planned.source.position(finding.span.start)
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": str(finding.severity),
        "message": finding.message,
        "location": {"row": position.row, "column": position.column},
        "fixes": [
            {"title": fix.title, "effect": str(fix.effect), "applicability": fix.safety.name.lower()}
            for fix in finding.fixes
        ],
    }
