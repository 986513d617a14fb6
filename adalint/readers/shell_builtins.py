"""What commands of the shell itself do to variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.shell_words import Word

SETTERS: Final = frozenset({"read", "mapfile", "readarray", "getopts", "printf", "let", "wait"})
"""Commands that set the variables that they are told, by name."""

UNBOUND: Final = frozenset({"eval", "source", ".", "alias", "trap"})
"""Commands that may set any variable."""

_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_HARMLESS: Final = re.compile(
    r"(?:^|.*/)(?:activate|\.bashrc|\.bash_profile|\.profile|\.zshrc|conda\.sh|mamba\.sh|modules\.sh|lmod|\.venv.*)$"
)


def set_by(words: Sequence[Word]) -> set[str] | None:
    """Name the variables that a command may set, by the words that could be names; None when it may be any."""
    if any(word.value is UNKNOWN for word in words) and words[0].head != "printf":
        return None
    name, *others = [word.head for word in words]
    if name == "printf" and "-v" not in others:
        return set()
    names = {"REPLY", "MAPFILE", "OPTARG", "OPTIND"}
    return names.union(*(names_in(word) for word in others))


def names_in(text: str) -> set[str]:
    """Give the identifiers of a text."""
    return set(_NAME.findall(text))


def is_harmless_source(words: Sequence[Word]) -> bool:
    """Tell whether a command sources a file that only sets up an environment: conda's or venv's, a profile."""
    return words[0].head in {"source", "."} and len(words) > 1 and _HARMLESS.match(words[1].head) is not None
