"""The variables of a script as far as it has run: what is known of each, and where it was written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from adalint.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.readers.shell_words import Piece, Word


@dataclass(frozen=True, slots=True)
class Unset:
    """What a variable is before it is set, or after `unset`."""


UNSET: Final = Unset()


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """A list of words."""

    words: tuple[Word, ...]


MAX_PIECES: Final = 1_000
"""Of more than this no value is known."""

Variable: TypeAlias = Scalar | Array | Unset | Unknown

_NAMEREF: Final = re.compile(rb"\b(?:declare|local|typeset)[ \t]+(?:-\w+[ \t]+)*-\w*n")
_DEFAULTED: Final = re.compile(rb"\$\{([A-Za-z_]\w*):?=|\{([A-Za-z_]\w*)\}[<>]")
_NAME: Final = re.compile(rb"[A-Za-z_]\w*")
_DYNAMIC: Final = frozenset(
    {
        *("RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "EPOCHREALTIME", "LINENO", "PWD", "OLDPWD", "UID", "EUID"),
        *("PPID", "SHLVL", "REPLY", "OPTARG", "OPTIND", "PIPESTATUS", "FUNCNAME", "GROUPS", "DIRSTACK", "HISTCMD"),
    }
)
"""Variables that the shell itself changes."""
_IN_THIS_SHELL: Final = b"lastpipe"
"""The option by which the last part of a pipeline sets variables of the script."""
_SPLIT_OTHERWISE: Final = re.compile(rb"\bIFS=")


@dataclass
class Scope:
    """The variables at one point of a script. What is not in `known` may come from outside, and is unknown."""

    facts: Facts
    known: dict[str, Variable] = field(default_factory=dict)
    positional: tuple[Word, ...] | None = None
    """`$1` and on; None when nobody knows them."""
    local: dict[str, Variable] | None = None
    """What the function around has to restore, UNKNOWN where that depends; None outside of one."""

    def copy(self) -> Scope:
        """Give what a subshell or a branch starts from."""
        local = None if self.local is None else dict(self.local)
        return Scope(self.facts, dict(self.known), self.positional, local)

    def get(self, name: str) -> Variable:
        """Give what is known of a variable."""
        unclear = self.facts.opaque or name in self.facts.defaulted or name in _DYNAMIC or name.startswith("BASH_")
        return UNKNOWN if unclear else self.known.get(name, UNKNOWN)

    @property
    def arguments(self) -> tuple[Word, ...] | None:
        """What `"$@"` stands for."""
        return None if self.facts.opaque else self.positional

    def forget(self, names: Iterable[str] | None = None) -> None:
        """Take some variables, or all, for unknown."""
        if names is None:
            self.known.clear()
            self.positional = None
            return
        for name in names:
            self.known.pop(name, None)

    def join(self, others: Iterable[Scope]) -> None:
        """Keep what is the same however the script came here."""
        for other in others:
            self.known = {
                name: both
                for name, own in self.known.items()
                if name in other.known and not isinstance(both := _both(own, other.known[name]), Unknown)
            }
            if self.positional is not other.positional:
                self.positional = None
            if self.local is not None and other.local is not None:
                mine, theirs = self.local, other.local
                names = mine.keys() | theirs.keys()
                self.local = {
                    name: mine[name] if name in theirs and mine.get(name) is theirs[name] else UNKNOWN for name in names
                }


@dataclass
class Budget:
    """How many pieces expansions may still give in one script: values can grow twofold per line."""

    left: int = 200_000

    def spend(self, pieces: int) -> bool:
        """Take some; False when so many are not left, or are more than one value has."""
        if pieces > min(self.left, MAX_PIECES):
            return False
        self.left -= pieces
        return True


@dataclass(frozen=True, slots=True)
class Facts:
    """What the text of a whole script says about its variables."""

    counts: dict[str, int]
    """How often each name stands anywhere in the text."""
    defaulted: frozenset[str]
    """Names that `${X:=…}` and `{X}>` may set in passing."""
    opaque: bool
    """Whether no variable is known: names may stand for other names, or the script was misread."""
    splits_otherwise: bool
    """Whether words may be split elsewhere than at blanks."""
    budget: Budget = field(default_factory=Budget)

    def is_shared(self, name: str) -> bool:
        """Tell whether a variable may be read in more places than one."""
        return self.counts.get(name, 0) != 2


def facts_of(content: bytes, *, doubtful: bool) -> Facts:
    """Read what can be told of variables from the text alone; of a doubtful one, nothing is."""
    counts: dict[str, int] = {}
    for match in _NAME.finditer(content):
        name = match[0].decode()
        counts[name] = counts.get(name, 0) + 1
    defaulted = frozenset((match[1] or match[2]).decode() for match in _DEFAULTED.finditer(content))
    opaque = doubtful or _IN_THIS_SHELL in content or _NAMEREF.search(content) is not None
    return Facts(counts, defaulted, opaque, _SPLIT_OTHERWISE.search(content) is not None)


def _both(left: Variable, right: Variable) -> Variable:
    if left is right:
        return left
    if isinstance(left, Unset) and isinstance(right, Unset):
        return left
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        text = text_of(left)
        return Scalar(fixed(left.pieces)) if isinstance(text, str) and text == text_of(right) else UNKNOWN
    if isinstance(left, Array) and isinstance(right, Array):
        return left if left == right else UNKNOWN
    return UNKNOWN


def text_of(scalar: Scalar) -> str | Unknown:
    """Give the text of a string, when all of it is known."""
    text = ""
    for piece in scalar.pieces:
        if not isinstance(piece.text, str):
            return UNKNOWN
        text += piece.text
    return text


def fixed(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Give pieces that no edit may touch."""
    return tuple(replace(piece, fixed=True) for piece in pieces)
