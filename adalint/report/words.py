"""What every format for people shares: how a path is shown, what is made harmless, the words for effects and counts."""

from __future__ import annotations

import os
import shlex
import unicodedata
from typing import TYPE_CHECKING, Final

from adalint.findings import Effect, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adalint.findings import Finding, Fix

STDIN: Final = "-"
"""The path of a text that came through standard input without a name."""

EFFECTS: Final[Mapping[Effect, str]] = {
    Effect.PRESERVES: "training stays the same",
    Effect.COMPLETES: "the run that crashes today finishes",
    Effect.REPAIRS: "the code that raises today runs",
    Effect.CHANGES: "training changes",
    Effect.DISPLAY: "yours to make",
}

_SPACES: Final = frozenset("\u2028\u2029\ufeff")
_UNSHOWN: Final = frozenset({"Cc", "Cs"})
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def shown_path(path: str) -> str:
    """Give a path relative to the working directory when it lies inside, as it is otherwise."""
    if path == STDIN:
        return path
    working = os.getcwd()
    place = os.path.abspath(path)
    return os.path.relpath(place, working) if place.startswith(working.rstrip(os.sep) + os.sep) else path


def harmless(text: str) -> str:
    """Spell out what a terminal would act on or a reader be misled by: controls, escapes, bidirectional marks."""
    return text if text.isascii() and text.isprintable() else "".join(map(_harmless, text))


def _harmless(character: str) -> str:
    if unicodedata.category(character) in _UNSHOWN or character in _BIDI or character in _SPACES:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character


def one_line(text: str) -> str:
    """Make a message harmless and fit for one line."""
    return harmless(" ".join(text.split()))


def counted(number: int, noun: str) -> str:
    """Say a number of things: `1 file`, `3 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def tally(findings: Iterable[Finding]) -> str:
    """Say how many findings of each severity there are: `2 errors, 1 warning`."""
    severities = [finding.severity for finding in findings]
    nouns = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    return ", ".join(counted(severities.count(one), noun) for one, noun in nouns.items() if one in severities)


def ways_to_take(fix: Fix, finding: Finding, path: str) -> list[str]:
    """Name the commands and settings that take a fix that is not safe; none when it is safe, or nothing takes it."""
    ways = []
    if fix.safety is Safety.UNSAFE and finding.fix_for(Safety.UNSAFE) is fix:
        ways.append(f"adalint fix --unsafe-fixes --select {finding.code} {shlex.quote(path)}")
    if fix.takes and not fix.takes.startswith("--"):
        ways.append(fix.takes)
    return ways
