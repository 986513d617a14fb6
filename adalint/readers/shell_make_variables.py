"""The variables of a Makefile: what `$(RANK)` is when make hands a recipe to the shell."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN: Final = b"${_}"
"""A variable of the shell that nobody knows: what stands for a text that make alone knows."""
MAX_SIZE: Final = 20_000
"""A value that is longer is not followed."""
MAX_STEPS: Final = 20_000
"""References that are followed in one Makefile: values can grow twofold per line."""

_REFERENCE: Final = re.compile(
    rb"\$(?:\$|\((?P<round>[\w.-]+)\)|\{(?P<curly>[\w.-]+)\}|(?P<open>[({])|(?P<one>.))", re.DOTALL
)
_CONTINUED: Final = re.compile(rb"(?<![ \t])[ \t]*\\\r?\n[ \t]*")
_COMMENT: Final = re.compile(rb"(?<!\\)#")
_CLOSING: Final = {b"(": b")", b"{": b"}"}


@dataclass(frozen=True, slots=True)
class Reference:
    """`$$`, `$(NAME)` or the call of a function, and where it stands; `name` is None for what is no plain variable."""

    start: int
    stop: int
    name: bytes | None
    is_dollar: bool


def references(text: bytes, at: int, stop: int) -> Iterator[Reference]:
    """Find the references in a part of a text, those within others left out."""
    while match := _REFERENCE.search(text, at, stop):
        at = match.end() if match["open"] is None else closed(text, match.end() - 1, stop)
        yield Reference(match.start(), at, match["round"] or match["curly"] or match["one"], match[0] == b"$$")


def closed(text: bytes, at: int, stop: int) -> int:
    """Give the end of what a bracket opens."""
    opening = text[at : at + 1]
    depth = 0
    for index in range(at, stop):
        one = text[index : index + 1]
        depth += (one == opening) - (one == _CLOSING[opening])
        if depth == 0:
            return index + 1
    return stop


@dataclass(frozen=True, slots=True)
class _Value:
    """What an assignment gives: a text to be expanded whenever it is used, or one that is final."""

    text: bytes
    is_final: bool


@dataclass
class Variables:
    """The variables as far as a Makefile is read; one that is not in `known` may be anything."""

    known: dict[bytes, _Value] = field(default_factory=dict)
    unclear: set[bytes] = field(default_factory=set)
    """Those that are set somewhere in a way that is not followed: for one target, or under a condition."""
    steps: int = 0

    def assign(self, name: bytes, operator: bytes, written: bytes) -> None:
        """Follow an assignment as make reads it; `written` is all behind the operator, with the lines it goes on."""
        text = _unwritten(written)
        old = self.known.get(name)
        if operator == b"?=":
            return  # what is set stays; what is not may come from outside
        if operator == b"+=" and old is not None and text is not None:
            added = self.expanded(text) if old.is_final else text
            self._set(name, old.text + b" " + added if old.text else added, is_final=old.is_final)
        elif text is None or operator in {b"+=", b"!="}:
            self.known.pop(name, None)
        elif operator == b"=":
            self._set(name, text, is_final=False)
        elif operator == b":::=":
            self.known.pop(name, None)
        else:
            self._set(name, self.expanded(text), is_final=True)

    def _set(self, name: bytes, text: bytes, *, is_final: bool) -> None:
        if len(text) > MAX_SIZE:
            self.known.pop(name, None)
        else:
            self.known[name] = _Value(text, is_final)

    def forget(self) -> None:
        """Take all that is known for unknown."""
        self.known.clear()

    def value(self, name: bytes, within: frozenset[bytes] = frozenset()) -> bytes | None:
        """Give what a variable is at this point, with `UNKNOWN` for what is not known of it; None for nothing."""
        found = self.known.get(name)
        self.steps += 1
        if found is None or name in self.unclear or name in within or self.steps > MAX_STEPS:
            return None
        return found.text if found.is_final else self.expanded(found.text, within | {name})

    def expanded(self, text: bytes, within: frozenset[bytes] = frozenset()) -> bytes:
        """Fill in the variables of a text."""
        pieces: list[bytes] = []
        at = size = 0
        for one in references(text, 0, len(text)):
            value = b"$" if one.is_dollar else None if one.name is None else self.value(one.name, within)
            pieces += (text[at : one.start], UNKNOWN if value is None else value)
            size += len(pieces[-1])
            if size > MAX_SIZE:
                return UNKNOWN
            at = one.stop
        return b"".join([*pieces, text[at:]])


def _unwritten(written: bytes) -> bytes | None:
    """Give the value that make takes from a line; None where a backslash or a comment makes it hard to say."""
    text = _CONTINUED.sub(b" ", written).lstrip(b" \t")
    comment = _COMMENT.search(text)
    text = text if comment is None else text[: comment.start()]
    return None if b"\\" in text or b"\r" in text else text
