"""`adalint baseline`: write down what is found today, so that `check` reports what is new; later only less of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from adalint.cli.options import BASELINE, shared

if TYPE_CHECKING:
    from adalint.baseline import Compared, Entry
    from adalint.cli.inputs import Input, Inputs
    from adalint.cli.options import Request
    from adalint.findings import Report


@click.command()
@click.option("--add-new", is_flag=True, help="Take what is new into a baseline that is already there.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 when entries no longer occur.")
@shared
@BASELINE
def baseline(request: Request, add_new: bool, only_check: bool) -> None:
    """Write what is found in PATHS (default: here) into a baseline, which `check` and `fix` leave out from then on.

    A baseline that is already there only shrinks: what no longer occurs is taken out, and what is new is reported, with
    exit code 1, unless `--add-new` takes it in.
    """
    from adalint.cli.failure import Failure
    from adalint.cli.inputs import Inputs
    from adalint.settings import SettingsError

    if add_new and only_check:
        raise click.UsageError("--check writes nothing, so that --add-new has nothing to add to")
    if request.reads_stdin:
        raise Failure("a baseline is of files, and `-` is none")
    inputs = Inputs(request)
    try:
        files, failed = _today(inputs)
        compared = _compare(inputs, files, failed)
    except SettingsError as error:
        raise Failure(str(error)) from None
    if only_check:
        _require_any(compared)
        stale = _show_stale(request, compared)
        click.get_current_context().exit(2 if inputs.failed else int(stale and not request.exit_zero))
    left = _left(files, compared, add_new=add_new)
    for one in compared:
        _write(request, one, add_new=add_new)
    left = [*left, *inputs.unreadable]
    _report(request, left, compared)
    found = any(report.findings for report in left)
    click.get_current_context().exit(2 if inputs.failed else int(found and not request.exit_zero))


@dataclass(frozen=True, slots=True)
class _Place:
    """One baseline: where it is, what stands in it, None when it is not there, and how that compares to today."""

    path: str
    before: tuple[Entry, ...] | None
    compared: Compared

    @property
    def folder(self) -> str:
        """The folder that its paths are relative to."""
        return os.path.dirname(self.path)


def _today(inputs: Inputs) -> tuple[list[tuple[str, Report]], list[str]]:
    """Judge all files; give each report with the place of its baseline, and the files that adalint itself fails at."""
    from adalint.baseline import place_of
    from adalint.engine import check_source

    found: list[tuple[str, Report]] = []
    failed = []

    def judge(text: Input) -> None:
        place = place_of(text.settings, text.source.path)
        found.append((place, text.weighed(check_source(text.source, text.settings))))

    for text in inputs.texts():
        before = len(found)
        inputs.guard(text.source.path, lambda text=text: judge(text))  # type: ignore[misc]
        if len(found) == before:
            failed.append(text.source.path)
    return found, failed


def _compare(inputs: Inputs, files: list[tuple[str, Report]], failed: list[str]) -> list[_Place]:
    from adalint.baseline import compare, entries_of
    from adalint.cli.known import judge_of, places

    is_judged = judge_of(inputs, failed)
    compared = []
    for path in sorted({*places(inputs), *(place for place, _ in files)}):
        inputs.baselines.open(path)
        before = inputs.baselines.entries.get(path)
        folder = os.path.dirname(path)
        today = [entry for place, report in files if place == path for entry in entries_of(report, folder)]
        if today or before is not None:
            sides = compare(before or (), today, lambda entry, folder=folder: is_judged(folder, entry))  # type: ignore[misc]
            compared.append(_Place(path, before, sides))
    return compared


def _require_any(compared: list[_Place]) -> None:
    from adalint.cli.failure import Failure
    from adalint.report.words import shown_path

    if all(one.before is None for one in compared):
        where = shown_path(compared[0].path) if compared else "here"
        raise Failure(f"{where}: there is no baseline to check; `adalint baseline` writes one")


def _show_stale(request: Request, compared: list[_Place]) -> bool:
    """Print what no longer occurs, an entry a line; tell whether there is any."""
    from adalint.cli.outputs import emit
    from adalint.report.words import harmless, said, shown_path

    stale = [(one, entry) for one in compared for entry in one.compared.stale]
    lines = [
        f"{shown_path(os.path.join(one.folder, entry.path))}: {entry.rule} ×{entry.count} {entry.line}"
        for one, entry in stale
    ]
    emit(request, "".join(f"{harmless(line)}\n" for line in lines))
    if not request.quiet:
        number = sum(entry.count for _, entry in stale)
        gone = "{number} gone: `adalint baseline` takes out what no longer occurs."
        fresh = "Up to date: nothing in the baseline is gone."
        click.echo(said(gone if stale else fresh, request.language, number=f"{number:,}"), err=True)
    return bool(stale)


def _left(files: list[tuple[str, Report]], compared: list[_Place], *, add_new: bool) -> list[Report]:
    """Give what the baselines will not hide: what is new to one that was there, and files that cannot be read."""
    from collections import Counter

    from adalint.baseline import relative, sift

    known: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    for one in compared:
        for entry in (*one.compared.kept, *(one.compared.new if add_new or one.before is None else ())):
            path, rule, line = entry.key
            known.setdefault((one.path, path), Counter())[rule, line] += entry.count
    left = []
    for place, report in files:
        hidden = known.get((place, relative(report.source.path, os.path.dirname(place))), Counter())
        left.append(replace(report, findings=tuple(sift(report.source, report.findings, hidden)[0])))
    return left


def _write(request: Request, one: _Place, *, add_new: bool) -> None:
    from adalint import files
    from adalint.baseline import render, together
    from adalint.cli.failure import Failure
    from adalint.report.words import counted, harmless, said, shown_path
    from adalint.source import SourceError

    takes = one.compared.new if add_new or one.before is None else ()
    after = together([*one.compared.kept, *takes])
    shown = shown_path(one.path)
    if one.before is None or one.compared.stale or takes:
        try:
            files.put(one.path, render(after))
        except SourceError as error:
            raise Failure(f"{shown}: {error}") from None
    if request.quiet:
        return
    language = request.language
    total, added, gone = (sum(entry.count for entry in part) for part in (after, takes, one.compared.stale))
    parts = [said("{path} holds {findings}", language, path=shown, findings=counted(total, "finding", language))]
    if one.before is not None and added:
        parts.append(said("{number} new", language, number=f"{added:,}"))
    if gone:
        parts.append(said("{number} taken out, which no longer occur", language, number=f"{gone:,}"))
    click.echo(harmless(("，" if language == "zh" else ", ").join(parts)), err=True)


def _report(request: Request, left: list[Report], compared: list[_Place]) -> None:
    """Show what is left to report, and say why it is not in a baseline."""
    from adalint.baseline import UNHIDABLE
    from adalint.cli.outputs import in_order, show
    from adalint.report.words import said

    left = in_order(report for report in left if report.findings)
    if left:
        show(request, left)
    if request.quiet:
        return
    codes = [finding.code for report in left for finding in report.findings]
    unread = sum(code in UNHIDABLE for code in codes)
    if len(codes) > unread:
        text = "{number} new, not in the baseline: mend what you can, `adalint baseline --add-new` takes in the rest."
        click.echo(said(text, request.language, number=f"{len(codes) - unread:,}"), err=True)
    if unread:
        text = "{number} of files that cannot be read, which no baseline hides: mend or exclude them."
        click.echo(said(text, request.language, number=f"{unread:,}"), err=True)
    if not codes and not compared:
        click.echo(said("Nothing found, so that there is no need of a baseline.", request.language), err=True)
