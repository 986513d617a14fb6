"""Writing a new value in the place of a word, in the quotes that the word has."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_words import SPECIAL, Quoting
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from adalint.readers.shell_words import Piece, Word
    from adalint.source import Source

_PLAIN: Final = re.compile(r"[\w./+,:@=-]+", re.ASCII)
"""What stands for itself wherever a word may stand, `=` and `:` behind other text."""


def word_edit(source: Source, word: Word, value: str) -> Edit | None:
    """Write another value for a word; None when that cannot be done without changing something else.

    A value that an assignment gives, and that nothing else reads, is changed there; else the expansion gives way.
    """
    pieces = word.pieces
    if not pieces or "\0" in value or (not value and not word.whole):
        return None
    if all(piece.use is None for piece in pieces):
        return _written(source, word, pieces, value)
    if not any(piece.fixed for piece in pieces) and _is_one(pieces) and _PLAIN.fullmatch(value):
        return Edit(Span(pieces[0].span.start, pieces[-1].span.stop), value)
    use = pieces[0].use
    text = "".join(str(piece.text) for piece in pieces)
    if use is None or use.fixed or len(text) != use.size or any(piece.use != use for piece in pieces):
        return None
    return _edit(use.span, use.quoting, value, _barred(pieces))


def _written(source: Source, word: Word, pieces: tuple[Piece, ...], value: str) -> Edit | None:
    """Change what the command itself, or the array that it takes, has written."""
    if any(piece.fixed for piece in pieces):
        return None
    if _is_one(pieces):
        span = Span(pieces[0].span.start, pieces[-1].span.stop)
        return _edit(span, pieces[0].quoting, value, _barred(pieces))
    inside = word.span.start <= pieces[0].span.start and pieces[-1].span.stop <= word.span.stop
    return _edit(word.span, Quoting.BARE, value, _barred(pieces)) if word.whole and inside and source else None


def _is_one(pieces: tuple[Piece, ...]) -> bool:
    """Tell whether pieces stand side by side between the same quotes, and are all that their edit would touch."""
    first = pieces[0]
    follows = all(left.span.stop == right.span.start for left, right in pairwise(pieces))
    return follows and all((piece.quoting, piece.run) == (first.quoting, first.run) for piece in pieces)


def _barred(pieces: tuple[Piece, ...]) -> frozenset[str]:
    return frozenset("".join(piece.barred for piece in pieces))


def _edit(span: Span, quoting: Quoting, value: str, barred: frozenset[str]) -> Edit | None:
    written = _in_quotes(quoting, value)
    if not value and " " in barred:  # split again, an empty word is none
        return None
    return None if written is None or barred & set(written) else Edit(span, written)


def _in_quotes(quoting: Quoting, value: str) -> str | None:
    if _PLAIN.fullmatch(value):
        return value
    if quoting is Quoting.BARE:
        return "'" + value.replace("'", "'\\''") + "'"
    if quoting is Quoting.DOUBLE:
        return re.sub(r'[\\"$`]', r"\\\g<0>", value)
    if quoting is Quoting.ANSI:
        return re.sub(r"[\\']", r"\\\g<0>", value)
    return None if set(value) & set(SPECIAL[quoting]) else value
