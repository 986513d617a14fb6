"""Where findings and summaries go."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from adalint.cli.failure import Failure
from adalint.findings import Safety
from adalint.report.words import counted, tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adalint.cli.inputs import Inputs
    from adalint.cli.options import Request
    from adalint.findings import Report

_WHERE_TO_LOOK = {True: "see above", False: "`adalint fix` says how"}


def show(request: Request, reports: Sequence[Report], *, on_stderr: bool = False) -> None:
    """Render the reports and put them where the caller wants them."""
    colour = request.output_format == "full" and request.output_file is None and _wants_colour(on_stderr)
    renderer = import_module(f"adalint.report.{request.output_format}")
    text = renderer.render(reports, colour=colour) if request.output_format == "full" else renderer.render(reports)
    emit(request, text, on_stderr=on_stderr, colour=colour)


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
    click.echo(" ".join(filter(None, (done, _summary(inputs, reports, done is not None)))), err=True)


def _summary(inputs: Inputs, reports: Sequence[Report], fixing: bool) -> str:
    findings = [finding for report in reports for finding in report.findings]
    if findings:
        where = counted(sum(bool(report.findings) for report in reports), "file")
        safe = sum(finding.fix_for(Safety.SAFE) is not None for finding in findings)
        decisions = sum(finding.fix_for(Safety.UNSAFE) is not None for finding in findings) - safe
        parts = [f"{'Left' if fixing else 'Found'}: {tally(findings)} in {where}."]
        if safe and not fixing:
            parts.append(f"`adalint fix` mends {safe:,}.")
        if decisions:
            parts.append(f"{decisions:,} can be mended once you decide: {_WHERE_TO_LOOK[fixing]}.")
        return " ".join(parts)
    if inputs.failed:
        return "Nothing found in what could be checked."
    if not inputs.read:
        return "Nothing to check: no Python, JSON or YAML file there."
    if not inputs.mentioning:
        return f"All clear: {counted(inputs.read, 'file')} read, AdaLoRA is not in use."
    return f"All clear: {counted(inputs.mentioning, 'file')} with AdaLoRA, nothing to report."


def _wants_colour(on_stderr: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    stream = sys.stderr if on_stderr else sys.stdout
    return stream.isatty() and os.environ.get("TERM") != "dumb"
