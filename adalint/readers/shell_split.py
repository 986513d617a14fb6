"""Splitting what unquoted expansions give at its blanks, as bash does."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_words import SPECIAL, Many, Piece, Quoting, Word
from adalint.source import Span
from adalint.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.shell_variables import Scope

GLOB: Final = re.compile(r"[*?\[]")
_BLANKS: Final = re.compile(r"[ \t\n]+|[^ \t\n]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece before splitting; `split` when it comes from an unquoted expansion, `between` when a new word follows."""

    piece: Piece | None
    split: bool = False
    many: Many | None = None
    between: bool = False


def split(parts: Sequence[Part], span: Span, scope: Scope) -> list[Word]:
    """Part what comes from unquoted expansions at its blanks, as bash does."""
    words: list[Word] = []
    pieces: list[Piece] = []
    many: Many | None = None
    exists = False

    def finish() -> None:
        nonlocal pieces, many, exists
        if exists:
            words.append(Word(tuple(pieces), _span_of(pieces, span), many, whole=False))
        pieces, many, exists = [], None, False

    for part in parts:
        piece = part.piece
        if part.between:
            finish()
            continue
        if piece is None:
            continue
        many = part.many or many
        if part.split and isinstance(piece.text, Unknown):
            many = many or Many.SPLIT
        if not part.split or isinstance(piece.text, Unknown):
            exists = exists or not part.split or piece.text != ""
            pieces.append(piece)
            continue
        if GLOB.search(piece.text) or (scope.facts.splits_otherwise and piece.text):
            pieces.append(replace(piece, text=UNKNOWN))
            many = many or Many.SPLIT
            exists = True
            continue
        for match in _BLANKS.finditer(piece.text):
            if match[0].isspace():
                finish()
            else:
                pieces.append(_slice(piece, piece.text, match.start(), match.end()))
                exists = True
    finish()
    if len(words) == 1 and any(span.contains((piece.use or piece).span) for piece in words[0].pieces):
        return [replace(words[0], span=span, whole=True)]
    return words


def _slice(piece: Piece, text: str, start: int, stop: int) -> Piece:
    if (start, stop) == (0, len(text)):
        return piece
    # A part of what an expansion gives can only be changed where it is written, and is split there, too.
    piece = replace(piece, use=None, barred=piece.barred + SPECIAL[Quoting.BARE])
    if piece.escaped:
        return replace(piece, text=text[start:stop], fixed=True)
    begin = piece.span.start + len(text[:start].encode())
    return replace(piece, text=text[start:stop], span=Span(begin, begin + len(text[start:stop].encode())))


def _span_of(pieces: Sequence[Piece], argument: Span) -> Span:
    """Give the place of one of several words: what the argument itself writes of it, else where its text is written."""
    spans = [(piece.use or piece).span for piece in pieces]
    inside = [span for span in spans if argument.contains(span)]
    if inside:
        return Span(inside[0].start, max(span.stop for span in inside))
    if not spans:
        return argument
    start, stop = spans[0].start, spans[0].stop
    for span in spans[1:]:
        if not 0 <= span.start - stop <= 2:  # further away than quotes take: written in another place
            break
        stop = span.stop
    return Span(start, stop)
