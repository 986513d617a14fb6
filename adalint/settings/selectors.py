"""The words that stand for rules: a code, a name, a prefix or `ALL`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

ALL: Final = "ALL"
EXACT: Final = 100


def stands_for(selector: str, code: str, name: str) -> bool:
    """Tell whether a selector (a code, a name, a prefix or `ALL`) stands for a rule."""
    return specificity(selector, code, name) >= 0


def specificity(selector: str, code: str, name: str) -> int:
    """Give how closely a selector stands for a rule: `EXACT`, a prefix's length, 0 for `ALL`, -1 for not at all."""
    if selector in {code, name}:
        return EXACT
    if selector == ALL:
        return 0
    return len(selector) if selector and code.startswith(selector) else -1


def nearest_word(word: str, words: Iterable[str]) -> str:
    """Give `, did you mean 'x'?` for the word that is close to what was written, nothing when none is."""
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), {other.lower() for other in words}, n=1)
    return f", did you mean {next(other for other in words if other.lower() == near[0])!r}?" if near else ""
