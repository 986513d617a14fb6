"""`adalint fix`: rewrite what may be rewritten, and say what waits for a decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from adalint.cli.options import shared

if TYPE_CHECKING:
    from adalint.cli.inputs import Input
    from adalint.cli.options import Request
    from adalint.findings import Fixed, Report


@click.command()
@click.option("--diff", is_flag=True, help="Write nothing, print a unified diff; exit 1 when there is one.")
@click.option("--unsafe-fixes", is_flag=True, help="Apply fixes that change training or choose a number, too.")
@shared
def fix(request: Request, diff: bool) -> None:
    """Apply the fixes that keep training as it is or as it was meant, in PATHS (default: here).

    A text from standard input (`-`) comes out fixed on standard output.
    """
    from adalint.cli.inputs import Inputs
    from adalint.cli.outputs import in_order, show, summarise
    from adalint.report.words import counted

    inputs = Inputs(request)
    run = _Run(request, diff)
    for text in inputs.texts():
        inputs.guard(text.source.path, lambda text=text: run.fix(text))  # type: ignore[misc]
    if request.reads_stdin and not diff:
        click.echo(inputs.stdin if run.stdout is None else run.stdout, nl=False)
    reports = in_order([*run.left, *inputs.unreadable])
    show(request, reports, on_stderr=request.reads_stdin or diff)
    if request.output_format == "concise":
        _say_what_waits(reports, on_stderr=request.reads_stdin or diff)
    summarise(inputs, reports, f"{'Would fix' if diff else 'Fixed'} {counted(run.applied, 'finding')}.")
    found = run.changes if diff else any(report.findings for report in reports)
    click.get_current_context().exit(2 if inputs.failed else int(found and not request.exit_zero))


@dataclass(slots=True)
class _Run:
    """What one run of `fix` has come to: the findings left, and whether anything changes."""

    request: Request
    diff: bool
    left: list[Report] = field(default_factory=list)
    changes: bool = False
    applied: int = 0
    stdout: bytes | None = None

    def fix(self, text: Input) -> None:
        from adalint.engine import check_source, fix_source
        from adalint.findings import Report, Safety
        from adalint.report import diff

        allowed = Safety.UNSAFE if text.settings.unsafe_fixes else Safety.SAFE
        fixed = fix_source(text.source, text.settings, allowed)
        changed = fixed.after.content != fixed.before.content
        if self.diff:
            click.echo(diff.render(fixed.before, fixed.after), nl=False)
            if changed and not diff.is_patchable(fixed.before):
                self._say(f"{fixed.before.path}: {fixed.before.encoding.codec}: this diff is for reading only")
        elif changed and (reason := self._write(fixed, text.root)):
            self._say(f"{fixed.before.path}: not fixed: {reason}")
            self.left.append(text.weighed(check_source(text.source, text.settings)))
            return
        self.changes |= changed
        self.applied += len(fixed.applied)
        for line in _deeds(fixed, "would fix" if self.diff else "fixed"):
            self._say(line)
        self.left.append(text.weighed(Report(fixed.after, fixed.left)))

    def _write(self, fixed: Fixed, root: str | None) -> str | None:
        """Write the result; give the reason when it is refused."""
        from adalint.files import write_atomically
        from adalint.source import SourceError

        try:
            after = fixed.after.encode()
            if root is None:
                self.stdout = after
            else:
                write_atomically(fixed.before.path, after, root, fixed.before.encode())
        except SourceError as error:
            return str(error)
        return None

    def _say(self, line: str) -> None:
        from adalint.report.words import harmless

        if not self.request.quiet:
            apart = self.diff or self.request.reads_stdin or not self.request.for_people
            click.echo(harmless(line), err=apart)


def _deeds(fixed: Fixed, verb: str) -> list[str]:
    from adalint.report.concise import at
    from adalint.report.words import EFFECTS

    path = fixed.before.path
    return [
        *(
            f"{at(path, one.position)}: {verb} {one.finding.code} {one.finding.name}: {one.fix.title} "
            f"({EFFECTS[one.fix.effect]})"
            for one in fixed.applied
        ),
        *(
            f"{at(path, one.position)}: not fixed {one.finding.code} {one.finding.name}: {one.reason}"
            for one in fixed.refused
        ),
    ]


def _say_what_waits(reports: list[Report], *, on_stderr: bool) -> None:
    from adalint.report.concise import place_of
    from adalint.report.words import EFFECTS, one_line, shown_path, ways_to_take

    for report in reports:
        for finding in report.findings:
            for fix in finding.fixes:
                ways = ways_to_take(fix, finding, shown_path(report.source.path))
                if ways:
                    place = place_of(report, finding.span.start)
                    title = f"{place}: {finding.code} waits for you: {one_line(fix.title)} ({EFFECTS[fix.effect]})"
                    click.echo("\n    ".join([title, *map(one_line, ways)]), err=on_stderr)
