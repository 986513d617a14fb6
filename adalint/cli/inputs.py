"""From what the caller named to the texts that mention AdaLoRA, each with its settings."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from adalint import files, settings
from adalint.baseline import Baselines, is_baseline
from adalint.cli.failure import Failure, apologise, say
from adalint.cli.progress import Progress, erase
from adalint.findings import Finding, Report, Severity
from adalint.report.words import retold
from adalint.source import Kind, Source, SourceError, Span, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from adalint.cli.options import Request
    from adalint.rulebook.pages import Rulebook
    from adalint.settings import Flags, Settings
    from adalint.targets import Pin

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
            replace(finding, severity=self.settings.severity_of("ADA901", finding.name, Severity.ERROR))
            if finding.code == "ADA901"
            else finding
            for finding in report.findings
        )
        return replace(report, findings=tuple(findings))


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
    _walked: set[str | None] = field(default_factory=set)
    _pins: Callable[[str], Mapping[str, Pin]] | None = None
    targets: list[files.Target] = field(default_factory=list)
    """The files that the run reads."""
    baselines: Baselines = field(default_factory=Baselines)

    def __post_init__(self) -> None:
        self._resolve = self.request.resolve
        _check_flags(self.request)

    def texts(self) -> Iterator[Input]:
        """Go through the texts in order.

        Raises:
            Failure: a path does not exist, or settings cannot be used.
        """
        try:
            if self.request.hides_known and not self.request.reads_stdin:
                self._open_baselines()
            yield from self._from_stdin() if self.request.reads_stdin else self._from_files()
        except settings.SettingsError as error:
            raise Failure(str(error)) from None

    def settled(self, path: str, source: Source | None = None) -> Settings:
        """Settle everything that a file or folder is judged by; what a notebook installs itself is nearer than a pin.

        Raises:
            SettingsError: settings cannot be used.
        """
        settled = self._settle(path)
        if settled.rule_dirs:
            _check_names(settled)
        settled = self._targeted(os.path.join(path, STDIN) if os.path.isdir(path) else path, settled, source)
        if self.request.hides_known and source is not None:
            settled = self.baselines.over(settled, path)
        language = settled.language if settled.language_source else self.request.language
        return settled if language == settled.language else replace(settled, language=language)

    def guard(self, path: str, work: Callable[[], None]) -> None:
        """Do the work on one file; a mistake of adalint's own ends that file, not the run."""
        try:
            work()
        except (click.ClickException, click.Abort, OSError):
            raise
        except Exception as error:  # noqa: BLE001 whatever it is, the other files are still worth checking
            from adalint.dialects import RecordError

            if isinstance(error, RecordError):
                raise Failure(str(error)) from None
            self.failed = True
            apologise(path, error)
            if self.request.verbose:
                import traceback

                click.echo(traceback.format_exc(), err=True)

    def names(self) -> list[str]:
        """Name the files that a run reads, sorted, whether they mention AdaLoRA or not.

        Raises:
            Failure: a path does not exist, or settings cannot be used.
        """
        try:
            return [target.path for target in self._targets() if not self._is_excluded(target)]
        except settings.SettingsError as error:
            raise Failure(str(error)) from None

    def _targets(self) -> list[files.Target]:
        for path in self.request.paths:
            if not os.path.isdir(path):
                self._settle(path)
        try:
            self.targets = list(files.walk(self.request.paths, self._exclude, self._skipped))
            if self.request.changed_since is not None:
                from adalint.changes import changed_among

                self.targets = changed_among(self.targets, self.request.changed_since)
            return self.targets
        except FileNotFoundError as error:
            raise Failure(f"{error.filename}: no such file or directory") from None
        except SourceError as error:
            raise Failure(str(error)) from None

    def _from_files(self) -> Iterator[Input]:
        targets = self._targets()
        progress = Progress(len(targets), quiet=self.request.quiet)
        try:
            yield from self._from_targets(targets, progress)
        finally:
            erase()

    def _from_targets(self, targets: list[files.Target], progress: Progress) -> Iterator[Input]:
        for target in targets:
            progress.tell(self.read, target.path)
            self.read += 1
            try:
                source = files.load(target.path)
                if source is not None and self._is_excluded(target):
                    continue
            except files.UnopenedError as error:
                if target.named and not self._is_excluded(target):
                    self._unreadable(target.path, error)
                else:
                    self._skipped(target.path, str(error))
            except SourceError as error:
                if not self._is_excluded(target):
                    self._unreadable(target.path, error)
            else:
                if source is not None:
                    yield self._input(source, target.root, target.named)

    def _from_stdin(self) -> Iterator[Input]:
        if len(self.request.paths) > 1:
            raise Failure("`-` is standard input and stands alone")
        if self.request.changed_since is not None:
            raise Failure("--changed-since chooses among files, and `-` is none")
        path = self.request.stdin_filename or STDIN
        named_kind = kind_of(path)
        if named_kind is None and path != STDIN:
            raise Failure(f"--stdin-filename {path}: adalint does not read files of this kind")
        self._settle(path)
        self.read = 1
        self.stdin = raw = sys.stdin.buffer.read()
        # A text without a name is Python, unless it opens like JSON, which Python would take for a dict and forget.
        kind = named_kind or (Kind.JSON if raw.lstrip()[:1] == b"{" else Kind.PYTHON)
        text = self.of_text(path, kind, raw)
        if text is not None:
            yield text

    def of_text(self, path: str, kind: Kind, raw: bytes) -> Input | None:
        """Take a text that is called by a name; None when it does not mention AdaLoRA, is left out or unreadable.

        Raises:
            SettingsError: settings cannot be used.
        """
        if not files.mentions_adalora(raw) or self._is_excluded(files.Target(path, "", named=True)):
            return None
        try:
            source = Source.decode(path, kind, raw)
        except SourceError as error:
            self._unreadable(path, error)
            return None
        return self._input(source, None, named=True)

    def _input(self, source: Source, root: str | None, named: bool) -> Input:
        self.mentioning += 1
        settled = self.settled(source.path, source)
        if self.request.verbose:
            say(f"{source.path}: settings from {settled.origin or 'nowhere, all default'}; {_targets_of(settled)}")
        return Input(source, settled, root, named)

    def _targeted(self, path: str, settled: Settings, source: Source | None) -> Settings:
        from adalint import targets  # the first text that mentions AdaLoRA pays for this, others do not

        if self._pins is None:
            self._pins = targets.finder()
        own = {} if source is None else targets.pins_within(source)
        return targets.over(settled, {**self._pins(path), **own})

    def _open_baselines(self) -> None:
        """Read the baselines of the paths that were asked for before anything is checked, files without AdaLoRA too."""
        for folder in self.request.folders:
            self.baselines.over(self._resolve(folder), folder)

    def _settle(self, path: str) -> Settings:
        settled = self._resolve(path)
        if settled.origin not in self._checked:
            self._checked.add(settled.origin)
            _check_words(settled, self.request.flags)
        return settled

    def _is_excluded(self, target: files.Target) -> bool:
        """Tell whether settings leave the file out; what a walk has left out already is not asked again."""
        settled = self._settle(target.path)
        if is_baseline(settled, target.path):
            return True
        if target.named and not settled.force_exclude:
            return False
        if not target.named and settled.origin in self._walked:
            return False
        excluded = settled.excludes(target.path)
        if excluded and self.request.verbose:
            say(f"{target.path}: left out: excluded by {settled.origin or 'default'}")
        return excluded

    def _exclude(self, folder: str) -> tuple[str, tuple[str, ...]]:
        settled = self._settle(folder)
        self._walked.add(settled.origin)
        patterns = (*settled.exclude, *settled.extend_exclude)
        return os.path.dirname(settled.origin) if settled.origin else folder, patterns

    def _skipped(self, path: str, reason: str) -> None:
        if not self.request.quiet:
            say(f"{path}: left out: {reason}")

    def _unreadable(self, path: str, error: SourceError) -> None:
        message = retold(str(error), self.request.language)
        finding = Finding("ADA904", "unreadable-file", Severity.ERROR, message, Span(0, 0))
        settled = self._settle(path)
        if settled.selected(finding.code, finding.name, finding.severity):
            finding = replace(finding, severity=settled.severity_of(finding.code, finding.name, finding.severity))
            self.unreadable.append(Report(Source(path, kind_of(path) or Kind.PYTHON, b""), (finding,)))


def _targets_of(settled: Settings) -> str:
    """Say which releases a file is judged by, and who said so; of transformers and accelerate only what is known."""
    said = [("PEFT", settled.target_peft or "newest known", settled.target_peft_source or "no pin or setting")]
    for name in ("transformers", "accelerate"):
        source = getattr(settled, f"target_{name}_source")
        if source:
            said.append((name, getattr(settled, f"target_{name}") or "newest known", source))
    return ", ".join(f"{name} {release} (from {source})" for name, release, source in said)


def _check_flags(request: Request) -> None:
    flags = request.flags
    try:
        settings.over(settings.Settings(), flags)
        selectors = {"--select": flags.select, "--ignore": flags.ignore, "--extend-select": flags.extend_select}
        if any(set(words) - {settings.ALL} for words in selectors.values()):
            folders = (folder for path in request.paths for folder in request.resolve(path).rule_folders)
            known = _rules_of(tuple(dict.fromkeys(folders)))
            for option, words in selectors.items():
                settings.check_selectors(option, words, known)
    except settings.SettingsError as error:
        raise Failure(str(error)) from None


def _check_words(settled: Settings, flags: Flags) -> None:
    """Check what settings say of rules; whether their folders hold pages that can be used is a part of it."""
    for written, folder in zip(settled.rule_dirs, settled.rule_folders, strict=True):
        if not os.path.isdir(folder):
            raise settings.settings_error(settled, ("rule-dirs",), written, f"there is no folder {written!r}")
    if settled.rule_dirs or settings.names_rules(settled):
        settings.check_words(settled, _rules_of(settled.rule_folders), flags)


def rulebook_here() -> Rulebook:
    """Load the rules that ship with adalint and those that the settings of the working directory add.

    Raises:
        Failure: settings or pages cannot be used.
    """
    from adalint.rulebook.pages import PageError, load

    try:
        return load(settings.resolver()(".").rule_folders)
    except (settings.SettingsError, PageError) as error:
        raise Failure(str(error)) from None


def _rules_of(folders: tuple[str, ...]) -> list[tuple[str, str]]:
    from adalint.rulebook.pages import PageError, load

    try:
        return [(rule.code, rule.name) for rule in load(folders).rules.values()]
    except PageError as error:
        raise settings.SettingsError(str(error)) from None


def _check_names(settled: Settings) -> None:
    """Check the names in a team's own pages, which needs the schema and so waits for the first text to be judged."""
    from adalint.rulebook.names import check_names
    from adalint.rulebook.pages import PageError, load

    shipped = load().rules
    try:
        check_names(rule for rule in load(settled.rule_folders).rules.values() if rule.code not in shipped)
    except PageError as error:
        raise settings.SettingsError(str(error)) from None
