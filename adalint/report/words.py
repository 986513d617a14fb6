"""What every format for people shares: how a path is shown, what is made harmless, the words for effects and counts."""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from dataclasses import replace
from functools import cache
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

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

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


def said(sentence: str, language: str, **values: object) -> str:
    """Say a sentence of the catalogue in a language, with the values put in."""
    if language == "zh":
        from adalint.report.words_zh import CHINESE

        sentence = CHINESE[sentence]
    return sentence.format(**values)


_SHAPES: Final[Mapping[str, str]] = {
    "failure": r"(?:crashes at step [^ ]+|raises \w+ at [a-z ]+?)(?: \(\w+\))?",
    "stage": r"[a-z ]+",
    "exception": r"\w+",
    "step": r"[^ ]+",
    "row": r"\d+",
    "number": r"[\d,]+",
    "name": r"[^ ]+",
}
"""What may stand for a placeholder, by its name; anything for the others."""

_AS_THEY_ARE: Final = frozenset({"file", "name", "text"})
"""Placeholders for what somebody else has named, which may be called like a word of ours."""


def retold(text: str, language: str) -> str:
    """Say in a language what has been made in English, values and all; a text that nobody knows stays as it is."""
    if language != "zh":
        return text
    for pattern, sentence in _chinese_patterns():
        if match := pattern.fullmatch(text):
            words = match.groupdict().items()
            told = {name: one if name.rstrip("_") in _AS_THEY_ARE else retold(one, language) for name, one in words}
            return sentence.format(**told)
    return text


@cache
def _chinese_patterns() -> list[tuple[re.Pattern[str], str]]:
    """Give the sentences of the catalogue as patterns, the most telling first."""
    from adalint.report.words_zh import CHINESE

    def pattern(sentence: str) -> re.Pattern[str]:
        pieces = PLACEHOLDER.split(sentence)
        parts: list[str] = []
        for index, piece in enumerate(pieces):
            if index % 2 == 0:
                parts.append(re.escape(piece))
            elif piece in pieces[1:index:2]:
                parts.append(f"(?P={piece})")
            else:
                parts.append(f"(?P<{piece}>{_SHAPES.get(piece.rstrip('_'), '.+?')})")
        return re.compile("".join(parts), re.DOTALL)

    def telling(sentence: str) -> tuple[bool, int]:
        # What begins with a placeholder would take the beginning of another sentence for it.
        return not sentence.startswith("{"), len(PLACEHOLDER.sub("", sentence))

    return [(pattern(one), CHINESE[one]) for one in sorted(CHINESE, key=telling, reverse=True)]


def counted(number: int, noun: str, language: str = "en") -> str:
    """Say a number of things: `1 file`, `3 files`."""
    if language == "zh":
        template = f"{{number}} {noun}"
        return said(template, language, number=f"{number:,}")
    plural = f"{noun}es" if noun.endswith("x") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def tally(findings: Iterable[Finding], language: str = "en") -> str:
    """Say how many findings of each severity there are: `2 errors, 1 warning`."""
    severities = [finding.severity for finding in findings]
    nouns = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    counts = (counted(severities.count(one), noun, language) for one, noun in nouns.items() if one in severities)
    return ("，" if language == "zh" else ", ").join(counts)


def in_language(finding: Finding, language: str) -> Finding:
    """Say in a language what the rule's page does not: the related places, and why a fix is not placed."""
    if language == "en":
        return finding
    related = tuple(replace(one, message=retold(one.message, language)) for one in finding.related)
    fixes = tuple(
        replace(fix, why=fix.why and retold(fix.why, language), takes=fix.takes and retold(fix.takes, language))
        for fix in finding.fixes
    )
    return replace(finding, message=retold(finding.message, language), related=related, fixes=fixes)


def ways_to_take(fix: Fix, finding: Finding, path: str) -> list[str]:
    """Name the commands and settings that take a fix that is not safe; none when it is safe, or nothing takes it."""
    ways = []
    if fix.safety is Safety.UNSAFE and finding.fix_for(Safety.UNSAFE) is fix:
        ways.append(f"adalint fix --unsafe-fixes --select {finding.code} {shlex.quote(path)}")
    if fix.takes and not fix.takes.startswith("--"):
        ways.append(fix.takes)
    return ways
