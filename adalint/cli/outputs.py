"""Where findings and summaries go."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import click

from adalint.cli.failure import Failure
from adalint.findings import Safety
from adalint.report.words import counted, harmless, said, shown_path, tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adalint.cli.inputs import Inputs
    from adalint.cli.options import Request
    from adalint.findings import Report

_HEADS = {True: "Left: {tally} in {files}.", False: "Found: {tally} in {files}."}
_DECISIONS = {
    True: "{number} can be mended once you decide: see above.",
    False: "{number} can be mended once you decide: `adalint fix` says how.",
}


def show(request: Request, reports: Sequence[Report], *, on_stderr: bool = False, failed: bool = False) -> None:
    """Render the reports and put them where the caller wants them; `failed` tells that a part of the run could not."""
    colour = request.output_format == "full" and request.output_file is None and _wants_colour(on_stderr)
    renderer = import_module(f"adalint.report.{request.output_format}")
    words: dict[str, dict[str, Any]] = {
        "full": {"colour": colour, "language": request.language, "columns": _columns(request, on_stderr)},
        "markdown": {"language": request.language},
        "sarif": {"failed": failed},
    }
    text = renderer.render(reports, **words.get(request.output_format, {}))
    emit(request, text, on_stderr=on_stderr, colour=colour)


def _columns(request: Request, on_stderr: bool) -> int | None:
    """Give the columns of the terminal that findings go to; None when they go elsewhere."""
    stream = sys.stderr if on_stderr else sys.stdout
    return shutil.get_terminal_size().columns if request.output_file is None and stream.isatty() else None


def count(request: Request, reports: Sequence[Report]) -> None:
    """Show how often each rule fires."""
    from adalint.report import statistics

    render = statistics.render if request.for_people else statistics.render_json
    emit(request, render(reports))


def name_files(request: Request, names: Sequence[str]) -> None:
    """Name files, a line each; as one JSON array where the format is one for machines."""
    import json

    shown = [shown_path(name) for name in names]
    as_lines = "".join(f"{harmless(name)}\n" for name in shown)
    emit(request, as_lines if request.for_people else json.dumps(shown, indent=2) + "\n")


def emit(request: Request, text: str, *, on_stderr: bool = False, colour: bool = False) -> None:
    """Put a text where the caller wants findings.

    Raises:
        Failure: the output file cannot be written.
    """
    if request.output_file is None:
        click.echo(text, nl=False, err=on_stderr, color=colour)
        return
    try:
        Path(request.output_file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{request.output_file}: cannot be written: {error.strerror}") from None


def in_order(reports: Iterable[Report]) -> list[Report]:
    """Sort reports by the paths of their files."""
    return sorted(reports, key=lambda report: PurePath(report.source.path).parts)


def summarise(inputs: Inputs, reports: Sequence[Report], done: str | None = None) -> None:
    """Say in one line on stderr how the run went; `done` is what `fix` has done before."""
    if inputs.request.quiet:
        return
    sys.stdout.flush()
    suppressed = sum(len(report.suppressed) for report in reports)
    language = inputs.request.language
    silenced = said("{number} suppressed.", language, number=f"{suppressed:,}") if suppressed else None
    hidden = sum(len(report.hidden) for report in reports) if inputs.request.for_people else 0
    known = said("{number} known to the baseline.", language, number=f"{hidden:,}") if hidden else None
    sentences = (done, _summary(inputs, reports, done is not None), silenced, known)
    click.echo(("" if language == "zh" else " ").join(filter(None, sentences)), err=True)


def say_stale(inputs: Inputs, reports: Sequence[Report]) -> None:
    """Say on stderr how much of the baselines no longer occurs, so that it can be taken out."""
    request = inputs.request
    if request.quiet or request.reads_stdin or inputs.failed or not (request.for_people and request.hides_known):
        return
    from adalint.cli.known import stale_entries

    gone: Counter[str] = Counter()
    for place, entry in stale_entries(inputs, reports):
        gone[place] += entry.count
    for place, number in gone.items():
        text = "{path}: {number} gone: `adalint baseline` takes out what no longer occurs."
        told = said(text, request.language, path=shown_path(place), number=f"{number:,}")
        click.echo(harmless(told), err=True)


def _summary(inputs: Inputs, reports: Sequence[Report], fixing: bool) -> str:
    findings = [finding for report in reports for finding in report.findings]
    language = inputs.request.language
    if findings:
        where = counted(sum(bool(report.findings) for report in reports), "file", language)
        safe = sum(finding.fix_for(Safety.SAFE) is not None for finding in findings)
        decisions = sum(finding.fix_for(Safety.UNSAFE) is not None for finding in findings) - safe
        parts = [said(_HEADS[fixing], language, tally=tally(findings, language), files=where)]
        if safe and not fixing:
            parts.append(said("`adalint fix` mends {number}.", language, number=f"{safe:,}"))
        if decisions:
            parts.append(said(_DECISIONS[fixing], language, number=f"{decisions:,}"))
        return ("" if language == "zh" else " ").join(parts)
    if inputs.failed:
        return said("Nothing found in what could be checked.", language)
    if not inputs.read and inputs.request.changed_since is not None:
        return said("Nothing to check: no file has changed since {rev}.", language, rev=inputs.request.changed_since)
    if not inputs.read:
        return said("Nothing to check: no Python, JSON, YAML, shell, notebook or Markdown file there.", language)
    if not inputs.mentioning:
        files = counted(inputs.read, "file", language)
        return said("All clear: {files} read, AdaLoRA is not in use.", language, files=files)
    files = counted(inputs.mentioning, "file", language)
    if all(report.configurations == 0 for report in reports):
        return said("All clear: {files} with the word AdaLoRA, and no configuration of it.", language, files=files)
    return said("All clear: {files} with AdaLoRA, nothing to report.", language, files=files)


def _wants_colour(on_stderr: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    stream = sys.stderr if on_stderr else sys.stdout
    return stream.isatty() and os.environ.get("TERM") != "dumb"
