"""Whether the rules that settings name exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adalint.settings.flags import NO_FLAGS
from adalint.settings.places import place_of
from adalint.settings.selectors import ALL, nearest_word, stands_for
from adalint.settings.settled import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from adalint.settings.flags import Flags
    from adalint.settings.settled import Settings

SELECTING: Final = ("select", "extend_select", "ignore", "extend_safe_fixes")
"""The fields of Settings that hold selectors and nothing else."""


def check_selectors(place: str, selectors: Iterable[str], rules: Iterable[tuple[str, str]]) -> None:
    """Check that each selector stands for at least one of `rules`, given as (code, name).

    Raises:
        SettingsError: one stands for none; the message names the nearest.
    """
    known = list(rules)
    for selector in selectors:
        if complaint := _names_no_rule(selector, known):
            raise SettingsError(f"{place}: {complaint}")


def check_words(settled: Settings, rules: Iterable[tuple[str, str]], flags: Flags = NO_FLAGS) -> None:
    """Check that every selector that a settings file writes stands for at least one of `rules`.

    Raises:
        SettingsError: one stands for none; the message names the line and the nearest.
    """
    known = list(rules)
    of_flags = {*flags.select, *flags.ignore, *flags.extend_select}
    for keys, selector in _written_selectors(settled):
        if selector not in of_flags and (complaint := _names_no_rule(selector, known)):
            raise SettingsError(place_of(settled).of(keys, selector) + complaint)


def names_rules(settled: Settings) -> bool:
    """Tell whether the settings name any rule, so that the names are worth checking."""
    return any(selector != ALL for _, selector in _written_selectors(settled))


def _written_selectors(settled: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    for name in SELECTING:
        yield from (((name.replace("_", "-"),), selector) for selector in getattr(settled, name))
    yield from ((("severity", selector), selector) for selector in settled.severity)
    for glob, selectors in settled.per_file_ignores:
        yield from ((("per-file-ignores", glob), selector) for selector in selectors)


def _names_no_rule(selector: str, rules: list[tuple[str, str]]) -> str | None:
    if any(stands_for(selector, code, name) for code, name in rules):
        return None
    return f"no rule is called {selector!r}{nearest_word(selector, [handle for rule in rules for handle in rule])}"
