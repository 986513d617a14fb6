"""What a shell hands to a program: its words, what is known of each, and where its text is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from adalint.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adalint.source import Span

_NEGATIVE: Final = re.compile(r"-\d+|-\d*\.\d+")
"""What argparse takes for a number although it starts as an option does."""


class Quoting(StrEnum):
    """Between which quotes a text stands."""

    BARE = "bare"
    SINGLE = "single"
    DOUBLE = "double"
    ANSI = "ansi"
    """`$'…'`"""
    STRING = "string"
    """A string of a list that no shell reads: JSON or YAML."""


SPECIAL: Final = {
    Quoting.BARE: " \t\n'\"\\$`|&;<>()*?[]{}~#!=%^",
    Quoting.SINGLE: "'",
    Quoting.DOUBLE: '"\\$`!',
    Quoting.ANSI: "'\\",
    Quoting.STRING: "\"'\\\n",
}
"""What does not, or not everywhere, stand for itself between such quotes."""


class Many(StrEnum):
    """Why a word may turn out as none, or as several."""

    SPLIT = "split"
    """An unquoted expansion of unknown value is split at its blanks."""
    LIST = "list"
    """`"$@"` and arrays that nobody knows are lists from the start."""


@dataclass(frozen=True, slots=True)
class Use:
    """An expansion in a command that stands for a text written elsewhere; `size` counts the characters of all of it."""

    span: Span
    quoting: Quoting
    size: int
    fixed: bool
    """Whether no edit may touch the expansion."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: what it gives to the program, and where that is written.

    `span` is the text between the quotes; `use` the expansion by which a command gets it, when it is written in an
    assignment. `fixed` says that an edit of `span` would change other words too, or cannot be made exactly. `barred`
    are the characters that do not stand for themselves in the texts around: `$` in a Makefile, `"` in `bash -c "…"`.
    """

    text: str | Unknown
    span: Span
    quoting: Quoting
    run: int = 0
    """Tells the pieces between one pair of quotes from those between the next."""
    escaped: bool = False
    """Whether `text` is written otherwise than it reads, so that it has no parts."""
    use: Use | None = None
    fixed: bool = False
    barred: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """One argument. `span` is where the command writes it, an assignment where an array or a split gives it."""

    pieces: tuple[Piece, ...]
    span: Span
    many: Many | None = None
    whole: bool = True
    """Whether `span` is all of an argument, and not a part of one: behind a `=`, or where it turns into several."""

    @property
    def value(self) -> str | Unknown:
        """What the program gets."""
        if self.many is not None or any(piece.text is UNKNOWN for piece in self.pieces):
            return UNKNOWN
        return self.head

    @property
    def head(self) -> str:
        """What is known of its start."""
        text = ""
        for piece in self.pieces:
            if not isinstance(piece.text, str):
                break
            text += piece.text
        return text

    def cut(self, start: int) -> Word:
        """Give the part behind some characters of `head`, at least one, with the quotes that open there."""
        left = start
        kept: list[Piece] = []
        before = self.pieces[0]
        for piece in self.pieces:
            size = len(piece.text) if isinstance(piece.text, str) else 0
            if left == 0 or not isinstance(piece.text, str):
                kept.append(piece)
                continue
            before = piece
            if left < size or (left == size and piece is self.pieces[-1]):
                kept.append(_tail(piece, piece.text, left))
            left = max(0, left - size)
            begin = _end_of(piece, piece.text, start)
            start -= size
        inside = before.quoting is not Quoting.BARE and all(piece.run == before.run for piece in kept)
        stop = self.span.stop
        if before.use is not None:
            stop = before.use.span.stop
        elif inside:
            stop = kept[-1].span.stop
        return Word(tuple(kept), replace(self.span, start=begin, stop=max(begin, stop)), self.many, whole=False)


def _end_of(piece: Piece, text: str, size: int) -> int:
    """Give the byte behind some characters of a piece that the command itself writes."""
    if piece.use is not None:
        return piece.use.span.start
    if piece.escaped or size >= len(text):
        return piece.span.stop
    return piece.span.start + len(text[:size].encode())


def _tail(piece: Piece, text: str, start: int) -> Piece:
    if piece.escaped:
        return replace(piece, text=text[start:], fixed=True)
    span = replace(piece.span, start=piece.span.start + len(text[:start].encode()))
    return replace(piece, text=text[start:], span=span)


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command as a program gets it.

    `words` are program and arguments, expanded; `environment` what stands in front (`CUDA_VISIBLE_DEVICES=0`). `span`
    covers it in the source, with the lines by which it goes on. `script` is the index in `words` of the program that
    is meant in the end: `train.py` in `torchrun --nproc_per_node 2 train.py`. `document` is what `<<` hands it.
    """

    words: tuple[Word, ...]
    span: Span
    environment: tuple[tuple[str, Word], ...] = ()
    script: int = 0
    document: Word | None = None

    @property
    def arguments(self) -> tuple[Word, ...]:
        """The words behind the script."""
        return self.words[self.script + 1 :]


@dataclass(frozen=True, slots=True)
class Option:
    """An option as argparse would see it.

    `name` is as written, with its hyphens (`--init-r`); `key` without those in front, and with underscores.
    `inline` is the word behind `=`; `following` are the words up to the next option.
    """

    name: str
    key: str
    word: Word
    inline: Word | None
    following: tuple[Word, ...]

    @property
    def value(self) -> Word | None:
        """The value, or the first of several; None for a flag."""
        return self.inline or (self.following[0] if self.following else None)


@dataclass(frozen=True, slots=True)
class Options:
    """The options among some words, in order.

    `loose` are the words that may hold further options: unknown lists, and words of unknown number that follow no
    option directly. One that follows directly is `Option.value` alone: it is a value where the option takes one.
    """

    found: tuple[Option, ...]
    loose: tuple[Word, ...]

    def last(self, *keys: str) -> Option | None:
        """Give the last option of one of some keys, which counts; None when there is none."""
        return next((option for option in reversed(self.found) if option.key in keys), None)


def options(words: Iterable[Word]) -> Options:
    """Part arguments into options and their values; what stands behind `--` is none."""
    found: list[Option] = []
    loose: list[Word] = []
    ended = False
    for word in words:
        known = word.value
        ended = ended or known == "--"
        if not ended and _is_option(word):
            found.append(_option(word))
            continue
        first = bool(found) and not found[-1].following and found[-1].inline is None
        if word.many is Many.LIST or (known is UNKNOWN and not first):
            loose.append(word)
        if found and word.many is not Many.LIST and not ended:
            found[-1] = replace(found[-1], following=(*found[-1].following, word))
    return Options(tuple(found), tuple(loose))


def _is_option(word: Word) -> bool:
    head = word.head
    if len(head) < 2 or head[0] != "-" or _NEGATIVE.fullmatch(head):
        return False
    name = head.split("=", 1)[0]
    return " " not in name and (word.value is not UNKNOWN or "=" in head)


def _option(word: Word) -> Option:
    head = word.head
    name, equals, _ = head.partition("=")
    inline = word.cut(len(name) + 1) if equals else None
    return Option(name, name.lstrip("-").replace("-", "_"), word, inline, ())


def texts(words: Sequence[Word]) -> list[str | Unknown]:
    """Give what the program gets, word by word."""
    return [word.value for word in words]
