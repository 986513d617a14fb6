"""`adalint fix`: rewrite what may be rewritten, and say what waits for a decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from adalint.cli.options import narrowed, shared
from adalint.cli.progress import erase

if TYPE_CHECKING:
    from collections.abc import Callable

    from adalint.cli.inputs import Input
    from adalint.cli.options import Request
    from adalint.engine import Objection
    from adalint.findings import Applied, Fixed, Refusal, Report
    from adalint.settings import Settings
    from adalint.verify import Bench


@click.command()
@click.option("--diff", is_flag=True, help="Write nothing, print a unified diff; exit 1 when there is one.")
@click.option("--unsafe-fixes", is_flag=True, help="Apply fixes that change training or choose a number, too.")
@click.option("--verify", is_flag=True, help="Run both sides first; apply no fix that is not what it claims to be.")
@shared
@narrowed
def fix(request: Request, diff: bool, verify: bool) -> None:
    """Apply the fixes that keep training as it is or as it was meant, in PATHS (default: here).

    A text from standard input (`-`) comes out fixed on standard output.
    """
    from adalint.cli.inputs import Inputs
    from adalint.cli.outputs import in_order, show, summarise
    from adalint.report.words import counted, said

    inputs = Inputs(request)
    run = _Run(request, diff)
    if verify:
        from adalint.cli.verify import bench_for

        run.objection = partial(_objection_of, bench_for())
    for text in inputs.texts():
        inputs.guard(text.source.path, lambda text=text: run.fix(text))  # type: ignore[misc]
    if request.reads_stdin and not diff:
        click.echo(inputs.stdin if run.stdout is None else run.stdout, nl=False)
    reports = in_order([*run.left, *inputs.unreadable])
    show(request, reports, on_stderr=request.reads_stdin or diff, failed=inputs.failed)
    if request.output_format == "concise":
        _say_what_waits(reports, request.language, on_stderr=request.reads_stdin or diff)
    done = "Would fix {findings}." if diff else "Fixed {findings}."
    language = request.language
    summarise(inputs, reports, said(done, language, findings=counted(run.applied, "finding", language)))
    found = run.changes if diff else any(report.findings for report in reports)
    click.get_current_context().exit(2 if inputs.failed else int(found and not request.exit_zero))


def _objection_of(bench: Bench | None, settings: Settings) -> Objection:
    from adalint.verify import objection_of

    return objection_of(bench, settings)


@dataclass(slots=True)
class _Run:
    """What one run of `fix` has come to: the findings left, and whether anything changes."""

    request: Request
    diff: bool
    left: list[Report] = field(default_factory=list)
    changes: bool = False
    applied: int = 0
    stdout: bytes | None = None
    objection: Callable[[Settings], Objection] | None = None
    """Gives what speaks against fixes, by the settings of a file."""

    def fix(self, text: Input) -> None:
        from adalint.engine import check_source, fix_source
        from adalint.findings import Report, Safety
        from adalint.report import diff
        from adalint.report.words import retold, said

        language = self.request.language
        allowed = Safety.UNSAFE if text.settings.unsafe_fixes else Safety.SAFE
        objection = None if self.objection is None else self.objection(text.settings)
        fixed = fix_source(text.source, text.settings, allowed, objection)
        changed = fixed.after.content != fixed.before.content
        if self.diff:
            erase()
            click.echo(diff.render(fixed.before, fixed.after), nl=False)
            if changed and not diff.is_patchable(fixed.before):
                what = {"path": fixed.before.path, "codec": diff.shown_as(fixed.before)}
                self._say(said("{path}: {codec}: this diff is for reading only", language, **what))
        elif changed and (reason := self._write(fixed, text.root)):
            what = {"path": fixed.before.path, "reason": retold(reason, language)}
            self._say(said("{path}: not fixed: {reason}", language, **what))
            self.left.append(text.weighed(check_source(text.source, text.settings)))
            return
        self.changes |= changed
        self.applied += len(fixed.applied)
        for line in _deeds(fixed, _WOULD_FIX if self.diff else _FIXED, language):
            self._say(line)
        self.left.append(text.weighed(Report(fixed.after, fixed.left, fixed.suppressed, fixed.hidden)))

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
            erase()
            apart = self.diff or self.request.reads_stdin or not self.request.for_people
            click.echo(harmless(line), err=apart)


_FIXED: Final = "{place}: fixed {code} {name}: {title} ({effect})"
_WOULD_FIX: Final = "{place}: would fix {code} {name}: {title} ({effect})"
_NOT_FIXED: Final = "{place}: not fixed {code} {name}: {reason}"


def _deeds(fixed: Fixed, deed: str, language: str) -> list[str]:
    from adalint.report.words import EFFECTS, retold, said

    def words(one: Applied | Refusal) -> dict[str, str]:
        from adalint.report.concise import at

        return {"place": at(fixed.before.path, one.position), "code": one.finding.code, "name": one.finding.name}

    return [
        *(
            said(deed, language, title=one.fix.title, effect=said(EFFECTS[one.fix.effect], language), **words(one))
            for one in fixed.applied
        ),
        *(said(_NOT_FIXED, language, reason=retold(one.reason, language), **words(one)) for one in fixed.refused),
    ]


def _say_what_waits(reports: list[Report], language: str, *, on_stderr: bool) -> None:
    from adalint.report.concise import place_of
    from adalint.report.words import EFFECTS, one_line, said, shown_path, ways_to_take

    for report in reports:
        for finding in report.findings:
            for fix in finding.fixes:
                if fix.why:
                    sentence = "{place}: {code} not placed: {title}: {reason}"
                    place = place_of(report, finding.span.start)
                    title = one_line(fix.title)
                    told = said(sentence, language, place=place, code=finding.code, title=title, reason=fix.why)
                    click.echo(told, err=on_stderr)
                ways = ways_to_take(fix, finding, shown_path(report.source.path))
                if ways:
                    title = said(
                        "{place}: {code} waits for you: {title} ({effect})",
                        language,
                        place=place_of(report, finding.span.start),
                        code=finding.code,
                        title=one_line(fix.title),
                        effect=said(EFFECTS[fix.effect], language),
                    )
                    click.echo("\n    ".join([title, *map(one_line, ways)]), err=on_stderr)
