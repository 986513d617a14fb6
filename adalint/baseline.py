"""What a project lives with for now: findings that a baseline knows, by rule, file and line, and that are not reported.

An entry holds the line itself, not its number, so that work elsewhere in the file does not wake a finding, and a reader
of the baseline sees what it hides. Each entry hides as many equal findings as it counts.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from adalint import files
from adalint.report.words import shown_path
from adalint.settings import SettingsError
from adalint.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from adalint.findings import Finding, Report
    from adalint.settings import Settings
    from adalint.source import Source

NAME: Final = "adalint-baseline.json"
VERSION: Final = 1
UNHIDABLE: Final = frozenset({"ADA901", "ADA904"})
"""Rules that say that a file was not checked: to hide these would hide whatever is wrong in it."""

MAX_BYTES: Final = 100 * 1024 * 1024

_LONGEST: Final = 200
"""Characters of a line that are kept; of a longer one, its digest is."""

_OWN_COMMENT: Final = re.compile(r"#\s*adalint:.*", re.DOTALL)

Key: TypeAlias = "tuple[str, str, str]"
"""A path, the code of a rule, and a line as `squeezed` gives it."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Equal findings of one rule on lines of one file, and how many.

    `path` is relative to the folder of the baseline, with slashes; `line` is as `shown` gives it.
    """

    path: str
    rule: str
    line: str
    count: int = 1

    @property
    def key(self) -> Key:
        """What the findings that it stands for have in common."""
        return self.path, self.rule, squeezed(self.line)


@dataclass(frozen=True, slots=True)
class Compared:
    """A baseline beside the findings of today: what of it still occurs, what no longer does, and what it lacks."""

    kept: tuple[Entry, ...]
    stale: tuple[Entry, ...]
    new: tuple[Entry, ...]


def squeezed(line: str) -> str:
    """Give what of a line counts: white space, a comma at its end and comments to adalint do not."""
    bare = _OWN_COMMENT.sub("", line)
    text = "".join((bare if bare.strip() else line).split()).rstrip(",")
    if len(text) <= _LONGEST:
        return text
    import hashlib

    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def shown(line: str) -> str:
    """Give a line as a baseline holds it: with single spaces, or as a digest when it is long."""
    digest = squeezed(line)
    return digest if digest.startswith("sha256:") else " ".join(line.split())


def line_of(source: Source, finding: Finding) -> str:
    """Give the line that a finding stands on; in a notebook, that of its cell."""
    return source.slice(source.line_span(source.row_of(finding.span.start)))


def sift(
    source: Source, findings: Iterable[Finding], known: Mapping[tuple[str, str], int]
) -> tuple[list[Finding], list[Finding]]:
    """Part findings, sorted by place, into those to report and those that are known.

    `known` counts the known ones of this file by rule and squeezed line; of more equal ones, the first are hidden.
    """
    left = Counter(known)
    codes = {code for code, _ in known} - UNHIDABLE
    kept: list[Finding] = []
    hidden: list[Finding] = []
    for finding in findings:
        key = (finding.code, squeezed(line_of(source, finding))) if finding.code in codes else ("", "")
        left[key] -= 1
        (kept if left[key] < 0 else hidden).append(finding)
    return kept, hidden


def entries_of(report: Report, folder: str) -> list[Entry]:
    """Give the entries that would hide all findings of a report, those that are hidden already included."""
    path = relative(report.source.path, folder)
    return [
        Entry(path, finding.code, shown(line_of(report.source, finding)))
        for finding in (*report.findings, *report.hidden)
        if finding.code not in UNHIDABLE
    ]


def compare(
    entries: Iterable[Entry], today: Iterable[Entry], is_judged: Callable[[Entry], bool] = lambda _: True
) -> Compared:
    """Lay a baseline beside the findings of today.

    An entry that does not occur is kept where `is_judged` says that nobody looked: its file was not read, its rule is
    off.
    """
    left: Counter[Key] = Counter()
    lines: dict[Key, str] = {}
    for entry in today:
        left[entry.key] += entry.count
        lines.setdefault(entry.key, entry.line)
    kept, stale = [], []
    for entry in sorted(entries):
        present = min(entry.count, left[entry.key])
        left[entry.key] -= present
        if present < entry.count and not is_judged(entry):
            kept.append(entry)
            continue
        if present:
            kept.append(replace(entry, count=present))
        if present < entry.count:
            stale.append(replace(entry, count=entry.count - present))
    new = (Entry(key[0], key[1], lines[key], number) for key, number in left.items() if number > 0)
    return Compared(tuple(kept), tuple(stale), tuple(sorted(new)))


def together(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Join equal entries, sorted by path, rule and line."""
    counts: Counter[Key] = Counter()
    first: dict[Key, Entry] = {}
    for entry in sorted(entries):
        counts[entry.key] += entry.count
        first.setdefault(entry.key, entry)
    return tuple(sorted(replace(entry, count=counts[key]) for key, entry in first.items()))


def render(entries: Iterable[Entry]) -> bytes:
    """Write a baseline: one entry a line, sorted, so that git can merge it; no time, so that it stays as it is."""
    import json

    def text(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    lines = [
        f'    {{"path": {text(one.path)}, "rule": {text(one.rule)}, "line": {text(one.line)}, "count": {one.count}}}'
        for one in together(entries)
    ]
    body = "[\n" + ",\n".join(lines) + "\n  ]" if lines else "[]"
    document = f'{{\n  "version": {VERSION},\n  "findings": {body}\n}}\n'
    # A name that is no Unicode holds lone surrogates, whose escape in Python is that of JSON.
    return document.encode(errors="backslashreplace")


def read(place: str) -> tuple[Entry, ...]:
    """Read a baseline.

    Raises:
        SettingsError: it cannot be read, or is none; the message names the place and the remedy.
    """
    import json

    name = shown_path(place)
    try:
        document = json.loads(files.read(place, MAX_BYTES).decode())
    except SourceError as error:
        raise SettingsError(f"{name}: {error}") from None
    except json.JSONDecodeError as error:
        raise SettingsError(f"{name}:{error.lineno}: not JSON ({error.msg}); {_REMEDY}") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{name}: not JSON ({error}); {_REMEDY}") from None
    if not isinstance(document, dict) or "version" not in document or not isinstance(document.get("findings"), list):
        raise SettingsError(f"{name}: no baseline: `version` and a list of `findings` are wanted; {_REMEDY}")
    if document["version"] != VERSION or isinstance(document["version"], bool):
        raise SettingsError(
            f"{name}: version {document['version']!r} of the format is not known here, only {VERSION}; "
            "use the adalint that wrote it, or write it anew"
        )
    return tuple(_entry(value, f"{name}: findings[{index}]") for index, value in enumerate(document["findings"]))


_MOST: Final = 1_000_000_000
_REMEDY: Final = "mend that, or delete the file and write it anew with `adalint baseline`"


def _entry(value: Any, where: str) -> Entry:
    wanted = {"path": str, "rule": str, "line": str, "count": int}
    if not isinstance(value, dict) or value.keys() != wanted.keys():
        raise SettingsError(f"{where}: an object of {', '.join(wanted)} is wanted; {_REMEDY}")
    for key, kind in wanted.items():
        if not isinstance(value[key], kind) or isinstance(value[key], bool):
            raise SettingsError(f"{where}: `{key}` cannot be {value[key]!r}; {_REMEDY}")
    if not 1 <= value["count"] <= _MOST:
        raise SettingsError(f"{where}: `count` cannot be {value['count']}; {_REMEDY}")
    return Entry(**value)


def place_of(settings: Settings, path: str) -> str:
    """Tell where the baseline of a file is: as settings say, else beside them, in the repository's root, or here."""
    if settings.baseline is not None:
        return os.path.normpath(os.path.join(settings.base, settings.baseline))
    folder = settings.base if settings.origin else files.repository_of(path) or os.getcwd()
    return os.path.join(folder, NAME)


def is_baseline(settings: Settings, path: str) -> bool:
    """Tell whether a file is the baseline of its neighbours: it quotes lines, and is not to be checked."""
    name = os.path.basename(settings.baseline or NAME)
    return os.path.basename(path) == name and os.path.realpath(path) == os.path.realpath(place_of(settings, path))


def relative(path: str, folder: str) -> str:
    """Give the path of a file from a folder, with slashes, whatever links lead to either."""
    parent, name = os.path.split(os.path.abspath(path))
    return os.path.relpath(os.path.join(os.path.realpath(parent), name), os.path.realpath(folder)).replace(os.sep, "/")


@dataclass(slots=True)
class Baselines:
    """The baselines of one run, each read once when the first file asks for it."""

    entries: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    """What stands in each baseline that is there, by its place."""
    _known: dict[str, dict[str, Counter[tuple[str, str]]]] = field(default_factory=dict)

    def over(self, settings: Settings, path: str) -> Settings:
        """Put what the baseline of a file knows of it into the file's settings.

        Raises:
            SettingsError: the baseline cannot be used, or the settings name one that is not there.
        """
        place = place_of(settings, path)
        self.open(place)
        if settings.baseline is not None and place not in self.entries:
            raise SettingsError(f"{shown_path(place)}: there is no such baseline; `adalint baseline` writes it")
        if not self._known[place]:
            return settings
        known = self._known[place].get(relative(path, os.path.dirname(place)))
        return settings if known is None else replace(settings, known_here=MappingProxyType(known))

    def open(self, place: str) -> None:
        """Read the baseline at a place, if there is one and it has not been read.

        Raises:
            SettingsError: it cannot be used.
        """
        if place in self._known:
            return
        self._known[place] = {}
        if os.path.lexists(place):
            self.entries[place] = read(place)
            for entry in self.entries[place]:
                path, rule, line = entry.key
                self._known[place].setdefault(path, Counter())[rule, line] += entry.count
