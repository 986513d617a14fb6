"""Where a word of the settings stands: its file, its line and the keys that lead to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adalint.settings.settled import SettingsError

if TYPE_CHECKING:
    from adalint.settings.settled import Settings

PYPROJECT_TABLE: Final = ("tool", "adalint")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table of settings stands: how errors call its file, the table's keys, and the file's text."""

    shown: str
    table: tuple[str, ...] = ()
    text: str = ""

    def __str__(self) -> str:
        return f"{self.shown}: [{'.'.join(self.table)}]" if self.table else self.shown

    def of(self, keys: tuple[str, ...], word: str = "", *, inside: bool = False) -> str:
        """Say where a key stands, with its line; `inside` says that the last key is not to be named again."""
        line = _line_of(self.text, (*self.table, *keys), word)
        named = ".".join(keys[:-1] if inside else keys)
        table = f"[{'.'.join(self.table)}]" if self.table else ""
        where = " ".join(part for part in (table, named) if part)
        return f"{self.shown}{f':{line}' if line else ''}: {where}{': ' if where else ''}"


def place_of(settled: Settings) -> Place:
    """Give the place of the table that settings were read from."""
    if settled.origin is None:
        return Place("settings")
    path = Path(settled.origin)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    return Place(shown(path), PYPROJECT_TABLE if path.name == "pyproject.toml" else (), text)


def settings_error(settled: Settings, keys: tuple[str, ...], word: str, reason: str) -> SettingsError:
    """Make the error that says what is wrong with a word under keys of the file that settings were read from."""
    return SettingsError(place_of(settled).of(keys, word) + reason)


def shown(path: Path) -> str:
    """Show a path as people see it from the working directory."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


_HEADER: Final = re.compile(r"\s*\[\[?\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_PART: Final = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_KEY: Final = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")


def _line_of(text: str, path: tuple[str, ...], word: str) -> int | None:
    """Find the line of a key in a TOML text, or the line below it that holds the word; None when there is none.

    `tomllib` keeps no positions.
    """
    header: tuple[str, ...] = ()
    found = depth = 0
    quote = ""
    open_ = False
    for row, line in enumerate(text.splitlines(), start=1):
        here: tuple[str, ...] | None = None
        if quote:
            quote = "" if quote in line else quote
            continue
        quote = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")
        if match := _HEADER.match(line):
            here = header = _parts(match[1])
        elif match := _KEY.match(line):
            here = header + _parts(match[1])
        if here is not None:
            shared = next((n for n, (a, b) in enumerate(zip(here, path, strict=False)) if a != b), None)
            shared = min(len(here), len(path)) if shared is None else shared
            open_ = shared > depth
            found, depth = (row, shared) if open_ else (found, depth)
        if open_ and word and depth == len(path) and word in line:
            return row
    return found or None


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
