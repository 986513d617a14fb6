"""`adalint check --add-ignore`: silence what is found, by comments where a file can have them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from adalint.cli.failure import Failure, say

if TYPE_CHECKING:
    from adalint.cli.inputs import Input
    from adalint.cli.options import Request
    from adalint.findings import Finding


def ignore_findings(request: Request) -> None:
    """Write suppressions for all findings of the request; exit 1 when some are left, 2 when the run failed."""
    from adalint.cli.inputs import Inputs
    from adalint.report.words import counted

    if request.reads_stdin:
        raise Failure("--add-ignore writes into files, and `-` is none")
    inputs = Inputs(request)
    counts = {"silenced": 0, "left": 0}
    for text in inputs.texts():
        inputs.guard(text.source.path, lambda text=text: _silence(text, counts, request))  # type: ignore[misc]
    for report in inputs.unreadable:
        for finding in report.findings:
            say(f"{report.source.path}: {finding.code} is not silenced: {finding.message}")
        counts["left"] += len(report.findings)
    if not request.quiet:
        rest = f", {counts['left']:,} left" if counts["left"] else ""
        click.echo(f"Silenced {counted(counts['silenced'], 'finding')}{rest}.", err=True)
    click.get_current_context().exit(2 if inputs.failed else int(bool(counts["left"]) and not request.exit_zero))


def _silence(text: Input, counts: dict[str, int], request: Request) -> None:
    from adalint.engine import ignore_source
    from adalint.files import write_atomically
    from adalint.report.words import counted, shown_path
    from adalint.source import SourceError

    ignored = ignore_source(text.source, text.settings)
    shown = shown_path(text.source.path)
    silenced = ignored.silenced
    left = list(ignored.left)
    if silenced:
        try:
            write_atomically(text.source.path, ignored.after.encode(), str(text.root), text.source.encode())
        except SourceError as error:
            left += [(finding, str(error)) for finding in silenced]
            silenced = ()
        else:
            if not request.quiet:
                click.echo(f"{shown}: {counted(len(silenced), 'finding')} silenced")
    for reason in dict.fromkeys(reason for _, reason in left):
        those = [finding for finding, why in left if why == reason]
        click.echo(f"{shown}: {', '.join(dict.fromkeys(one.name for one in those))}: not silenced: {reason}")
    settable = [finding for finding, _ in left if finding.code not in {"ADA902", "ADA903"}]
    if settable:
        click.echo("\n".join(f"    {line}" for line in _in_the_settings(text, settable)))
    counts["silenced"] += len(silenced)
    counts["left"] += len(left)


def _in_the_settings(text: Input, findings: list[Finding]) -> list[str]:
    """Give the lines of a settings file that silence these findings in their file."""
    from adalint.report.words import shown_path

    origin = text.settings.origin
    where = shown_path(origin) if origin else "adalint.toml"
    table = "[tool.adalint.per-file-ignores]" if os.path.basename(where) == "pyproject.toml" else "[per-file-ignores]"
    path = os.path.relpath(os.path.abspath(text.source.path), text.settings.base).replace(os.sep, "/")
    literal = "".join(f"\\{one}" if one in "\\*?[]{}!" else one for one in path)
    glob = json.dumps(f"/{literal}", ensure_ascii=False)
    names = json.dumps(list(dict.fromkeys(finding.name for finding in findings)))
    return [f"in {where} you can write", table, f"{glob} = {names}"]
