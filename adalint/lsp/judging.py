"""From a text that is open to its findings: the way of `adalint check -`, settings of the editor put over."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import click

from adalint.cli.inputs import Inputs
from adalint.cli.options import Request
from adalint.engine import check_source
from adalint.patterns import matches
from adalint.report.places import in_file
from adalint.settings import Flags, Settings, SettingsError, resolver
from adalint.source import Kind
from adalint.targets import PIN_FILES

if TYPE_CHECKING:
    from adalint.findings import Finding, Report
    from adalint.lsp.documents import Part, Snapshot
    from adalint.source import Source, Span

MOST_FOLDERS: Final = 64
"""Folders whose settings are kept."""

_WATCHED: Final = ("adalint.toml", "adalint-baseline.json", *PIN_FILES)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found in a snapshot.

    `source` and `settings` are None when adalint has nothing to say about the text, or cannot use its settings, and
    then `complaint` says why. `findings` stand in places of the snapshot, those of `report` in places of the source.
    """

    snapshot: Snapshot
    source: Source | None = None
    settings: Settings | None = None
    report: Report | None = None
    findings: tuple[Finding, ...] = ()
    shown: tuple[Finding, ...] = ()
    """Those of `report`, in places of the snapshot."""
    complaint: str | None = None

    @property
    def parsed(self) -> bool:
        """Whether the text could be read to its end."""
        return all(finding.code != "ADA901" for finding in self.findings)

    def locate(self, span: Span) -> dict[str, Any]:
        """Tell where in which document a place of the snapshot is."""
        part = self.snapshot.part_at(span.start)
        return {"uri": part.uri, "range": part.range(span)}

    def origin_of(self, finding: Finding) -> Finding | None:
        """Give a finding as it stands in the source; None for one from before the text broke."""
        pairs = zip(self.report.findings if self.report else (), self.shown, strict=True)
        return next((own for own, shown in pairs if shown is finding), None)

    def within(self, part: Part) -> list[Finding]:
        """Give the findings in one document, sorted by place."""
        if len(self.snapshot.parts) == 1:
            return list(self.findings)
        return [one for one in self.findings if self.snapshot.part_at(one.span.start) is part]


class Judge:
    """Judges snapshots, each by the settings that hold for it right now; for one thread only."""

    def __init__(self) -> None:
        self.flags: dict[str | None, Flags] = {}
        """What the editor says over settings files, by workspace folder; None for everywhere."""
        self._inputs: dict[str, Inputs] = {}
        self._states: dict[str, tuple[Flags, object]] = {}

    def forget(self) -> None:
        """Read everything again, rule pages too."""
        from adalint.rulebook.pages import load

        load.cache_clear()
        self._inputs.clear()
        self._states.clear()

    def is_stale(self, path: str) -> bool:
        """Tell whether a file has changed that the settings of a text were read from."""
        folder = os.path.dirname(os.path.abspath(path))
        known = self._states.get(folder)
        return known is not None and known[1] != signature(folder, known[0].config)

    def flags_for(self, folder: str | None) -> Flags:
        """Give what the editor says of a workspace folder."""
        return self.flags.get(folder, self.flags.get(None, Flags()))

    def judge(self, snapshot: Snapshot) -> Judged:
        """Find the mistakes in a snapshot, as the command line does."""
        try:
            return self._judge(snapshot)
        except (SettingsError, click.ClickException) as error:
            return Judged(snapshot, complaint=error.message if isinstance(error, click.ClickException) else str(error))

    def _judge(self, snapshot: Snapshot) -> Judged:
        path = snapshot.path
        inputs = self._inputs_for(path, self.flags_for(snapshot.folder))
        if _is_left_out(inputs.settled(path), snapshot):
            return Judged(snapshot)
        inputs.unreadable.clear()
        text = inputs.of_text(path, snapshot.kind, snapshot.raw)
        if text is None:
            found = tuple(finding for report in inputs.unreadable for finding in report.findings)
            return Judged(snapshot, findings=found)
        report = text.weighed(check_source(text.source, text.settings))
        shown = report if snapshot.is_notebook or snapshot.kind is not Kind.NOTEBOOK else in_file(report)
        return Judged(snapshot, text.source, text.settings, report, shown.findings, shown.findings)

    def _inputs_for(self, path: str, flags: Flags) -> Inputs:
        folder = os.path.dirname(os.path.abspath(path))
        state = (flags, signature(folder, flags.config))
        if self._states.get(folder) != state:
            self._states[folder] = state
            self._inputs.pop(folder, None)
        if folder not in self._inputs:
            if len(self._inputs) >= MOST_FOLDERS:
                self._inputs.clear()
            hides_known = not flags.isolated
            request = Request(
                ("-",), flags, resolver(flags), "lsp", stdin_filename=path, quiet=True, hides_known=hides_known
            )
            self._inputs[folder] = Inputs(request)
        return self._inputs[folder]


def _is_left_out(settled: Settings, snapshot: Snapshot) -> bool:
    """Tell whether a walk through the project would leave the file out."""
    base = settled.base if settled.origin else snapshot.folder
    if base is None:
        return False
    return any(matches(pattern, snapshot.path, base) for pattern in (*settled.exclude, *settled.extend_exclude))


def signature(folder: str, config: str | None = None) -> tuple[object, ...]:
    """Give what changes when a file changes that settings or pins of a folder come from."""
    found: list[object] = [_state(config)] if config else []
    while True:
        found += (_state(os.path.join(folder, name)) for name in _names(folder, _state(folder)))
        parent = os.path.dirname(folder)
        if parent == folder:
            return tuple(found)
        folder = parent


def _state(path: str) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=256)
def _names(folder: str, _state: tuple[int, ...] | None) -> tuple[str, ...]:
    """Name the files of a folder that settings or pins may come from, as long as the folder is the same."""
    try:
        names = os.listdir(folder)
    except OSError:
        return ()
    return tuple(sorted(name for name in names if any(fnmatch(name, pattern) for pattern in _WATCHED)))


def is_watched(path: str) -> bool:
    """Tell whether settings, pins or rules may come from a file."""
    name = os.path.basename(path)
    return name.endswith(".md") or any(fnmatch(name, pattern) for pattern in _WATCHED)


def without_fixes(finding: Finding) -> Finding:
    """Give a finding that can only be looked at."""
    return replace(finding, fixes=())
