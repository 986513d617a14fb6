"""From what the caller named to the texts that mention AdaLoRA, each with its settings."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from adalint import files, settings
from adalint.cli.failure import Failure, apologise, say
from adalint.findings import Finding, Report, Severity
from adalint.source import Kind, Source, SourceError, Span, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adalint.cli.options import Request
    from adalint.settings import Settings

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """A text that mentions AdaLoRA.

    `root` bounds writing, None for standard input; `named` says that it was asked for.
    """

    source: Source
    settings: Settings
    root: str | None
    named: bool

    def weighed(self, report: Report) -> Report:
        """Make it an error that a file cannot be parsed when the file was asked for by name."""
        if not self.named:
            return report
        findings = (
            replace(finding, severity=Severity.ERROR) if finding.code == "ADA901" else finding
            for finding in report.findings
        )
        return Report(report.source, tuple(findings))


@dataclass(slots=True)
class Inputs:
    """The texts of one run, and what became of the rest.

    Counts are complete once `texts` has been gone through. `unreadable` reports the files that mention AdaLoRA, or were
    named, and cannot be read.
    """

    request: Request
    read: int = 0
    mentioning: int = 0
    failed: bool = False
    stdin: bytes = b""
    unreadable: list[Report] = field(default_factory=list)
    _resolve: Callable[[str], Settings] = field(init=False)
    _checked: set[str | None] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._resolve = settings.resolver(self.request.flags)
        _check_flags(self.request)

    def texts(self) -> Iterator[Input]:
        """Go through the texts in order.

        Raises:
            Failure: a path does not exist, or settings cannot be used.
        """
        try:
            yield from self._from_stdin() if self.request.reads_stdin else self._from_files()
        except settings.SettingsError as error:
            raise Failure(str(error)) from None

    def guard(self, path: str, work: Callable[[], None]) -> None:
        """Do the work on one file; a mistake of adalint's own ends that file, not the run."""
        try:
            work()
        except (click.ClickException, click.Abort, OSError):
            raise
        except Exception as error:  # noqa: BLE001 whatever it is, the other files are still worth checking
            self.failed = True
            apologise(path, error)
            if self.request.verbose:
                import traceback

                click.echo(traceback.format_exc(), err=True)

    def _from_files(self) -> Iterator[Input]:
        for path in self.request.paths:
            if not os.path.isdir(path):
                self._settle(path)
        try:
            targets = files.walk(self.request.paths, self._exclude, self._skipped)
        except FileNotFoundError as error:
            raise Failure(f"{error.filename}: no such file or directory") from None
        except SourceError as error:
            raise Failure(str(error)) from None
        for target in targets:
            self.read += 1
            try:
                source = files.load(target.path)
            except files.UnopenedError as error:
                if target.named:
                    self._unreadable(target.path, error)
                else:
                    self._skipped(target.path, str(error))
            except SourceError as error:
                self._unreadable(target.path, error)
            else:
                if source is not None:
                    yield self._input(source, target.root, target.named)

    def _from_stdin(self) -> Iterator[Input]:
        if len(self.request.paths) > 1:
            raise Failure("`-` is standard input and stands alone")
        path = self.request.stdin_filename or STDIN
        kind = Kind.PYTHON if path == STDIN else kind_of(path)
        if kind is None:
            raise Failure(f"--stdin-filename {path}: adalint does not read files of this kind")
        self._settle(path)
        self.read = 1
        self.stdin = raw = sys.stdin.buffer.read()
        if not files.mentions_adalora(raw):
            return
        try:
            source = Source.decode(path, kind, raw)
        except SourceError as error:
            self._unreadable(path, error)
        else:
            yield self._input(source, None, named=True)

    def _input(self, source: Source, root: str | None, named: bool) -> Input:
        self.mentioning += 1
        settled = self._settle(source.path)
        if self.request.verbose:
            say(
                f"{source.path}: settings from {settled.origin or 'nowhere, all default'}; PEFT "
                f"{settled.target_peft or 'newest known'} (from {settled.target_peft_source or 'no pin or setting'})"
            )
        return Input(source, settled, root, named)

    def _settle(self, path: str) -> Settings:
        settled = self._resolve(path)
        if settled.origin not in self._checked:
            self._checked.add(settled.origin)
            _check_selectors(settled.origin or "settings", settled)
        return settled

    def _exclude(self, folder: str) -> tuple[str, tuple[str, ...]]:
        settled = self._settle(folder)
        return os.path.dirname(settled.origin) if settled.origin else folder, settled.exclude

    def _skipped(self, path: str, reason: str) -> None:
        if not self.request.quiet:
            say(f"{path}: left out: {reason}")

    def _unreadable(self, path: str, error: SourceError) -> None:
        finding = Finding("ADA904", "unreadable-file", Severity.ERROR, str(error), Span(0, 0))
        if self._settle(path).selected(finding.code, finding.name, finding.severity):
            self.unreadable.append(Report(Source(path, kind_of(path) or Kind.PYTHON, b""), (finding,)))


def _check_flags(request: Request) -> None:
    flags = request.flags
    try:
        settings.over(settings.Settings(), flags)
        for option, selectors in (
            ("--select", flags.select),
            ("--ignore", flags.ignore),
            ("--extend-select", flags.extend_select),
        ):
            _check(option, selectors)
    except settings.SettingsError as error:
        raise Failure(str(error)) from None


def _check_selectors(place: str, settled: Settings) -> None:
    for key in ("select", "ignore", "extend_select", "extend_safe_fixes"):
        _check(f"{place} {key.replace('_', '-')}", getattr(settled, key))


def _check(place: str, selectors: tuple[str, ...]) -> None:
    if set(selectors) - {settings.ALL}:
        from adalint.rulebook.pages import load

        settings.check_selectors(place, selectors, [(rule.code, rule.name) for rule in load().rules.values()])
