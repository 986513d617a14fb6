"""What a team has to decide, by what is found in its project: the fixes that wait for an `intent`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from adalint.settings import INTENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adalint.findings import Finding
    from adalint.settings import Settings
    from adalint.source import Source

QUESTIONS: Final[Mapping[str, str]] = {
    "r": "AdaLoRA never reads `r`. What did you mean by it?",
    "reversed-ranks": "`target_r` must lie below `init_r`. What did you mean where it does not?",
}
"""What is asked under each key of `intent`."""

ANSWERS: Final[Mapping[tuple[str, str], str]] = {
    ("r", "init_r"): "the rank that training starts at: it is renamed to init_r, and training changes",
    ("r", "final"): "the rank to end at: it becomes target_r, init_r one half above it, and training changes",
    ("r", "keep-today"): "nothing: what PEFT does today is written down, and training stays the same",
    ("reversed-ranks", "swap"): "the same two numbers the other way round",
    ("reversed-ranks", "lower-target"): "init_r is right: target_r becomes two thirds of it",
    ("reversed-ranks", "raise-init"): "target_r is right: init_r becomes one half more than it",
}
"""What each word means."""

CAUTIOUS: Final[Mapping[str, str]] = {"r": "keep-today", "reversed-ranks": "swap"}
"""The answers that make up no number and change no training that runs today."""

_TAKES: Final = re.compile(r'([\w-]+) = "')


@dataclass(frozen=True, slots=True)
class Place:
    """A finding that a question is about."""

    source: Source
    finding: Finding


def questions_in(source: Source, settings: Settings) -> dict[str, list[Place]]:
    """Find what in a source waits for an answer, by the key of `intent`."""
    from adalint.engine import check_source

    # As if nothing were taken for safe: a fix then names the setting that takes it.
    undecided = replace(settings, extend_safe_fixes=(), language="en")
    places: dict[str, list[Place]] = {}
    for finding in check_source(source, undecided).findings:
        for key in sorted(_asked(finding)):
            places.setdefault(key, []).append(Place(source, finding))
    return places


def _asked(finding: Finding) -> set[str]:
    named = {match[1] for fix in finding.fixes if fix.takes and (match := _TAKES.match(fix.takes))}
    return named & INTENTS.keys()


def together(found: Iterable[dict[str, list[Place]]]) -> dict[str, list[Place]]:
    """Join what is found in several sources, in the order in which it is asked."""
    parts = list(found)
    joined = {key: [place for part in parts for place in part.get(key, ())] for key in INTENTS}
    return {key: places for key, places in joined.items() if places}
