"""From arguments as they are written to the words that the program gets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_lexer import Lexer, Misread
from adalint.readers.shell_split import Part, split
from adalint.readers.shell_variables import Scalar
from adalint.readers.shell_words import Many, Piece, Quoting, Word
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tree_sitter import Node

    from adalint.readers.shell_text import ShellText
    from adalint.readers.shell_variables import Scope
    from adalint.source import Span

_BRACES: Final = re.compile(r"\{.*(?:,|\.\.).*\}", re.DOTALL)
_CONTINUED: Final = re.compile(rb"\\\r?\n")
_ENDS: Final = re.compile(rb"[\s;&|()<>`]|\\\r?\n[\s]|\Z")


def arguments(nodes: Sequence[Node], scope: Scope, text: ShellText, before: int | None = None) -> list[Word]:
    """Give the words that arguments in a row turn into; `before` is where the text in front of them ends.

    Where one argument ends and the next begins the bytes tell: the grammar takes a line that goes on without a
    blank for a gap.
    """
    words: list[Word] = []
    end = before
    groups: list[list[Node]] = []
    starts: list[int] = []
    for node in nodes:
        gap = b" " if end is None else _CONTINUED.sub(b"", text.content[end : node.start_byte])
        if not gap and groups:
            groups[-1].append(node)
        else:
            groups.append([node])
            starts.append(node.start_byte - len(gap.lstrip(b" \t\r\n")))
        end = node.end_byte
    for start, group in zip(starts, groups, strict=True):
        words += _words_of(start, group, scope, text)
    return words


def _words_of(start: int, group: Sequence[Node], scope: Scope, text: ShellText) -> list[Word]:
    stop = group[-1].end_byte
    span, _ = text.out(start, stop)
    try:
        parts = list(Lexer(start, stop, group, scope, text).parts())
    except Misread:
        return [_unknown(span, Many.LIST)]
    bare = "".join(_bare_text(parts))
    if _BRACES.search(bare) or any(node.type == "brace_expression" for node in group):
        return [_unknown(span, Many.LIST)]
    return split(parts, span, scope)


def value_of(node: Node, scope: Scope, text: ShellText) -> Scalar:
    """Give what an assignment takes from the text behind its `=`; nothing is split there."""
    start, stop = node.start_byte, node.end_byte
    try:
        if text.content[start - 1 : start] != b"=" or not _ENDS.match(text.content, stop):
            raise Misread
        parts = list(Lexer(start, stop, [node], scope, text, assigned=True).parts())
    except Misread:
        return Scalar(_unknown(text.out(start, stop)[0], None).pieces)
    return Scalar(tuple(part.piece for part in parts if part.piece is not None))


def _unknown(span: Span, many: Many | None) -> Word:
    return Word((Piece(UNKNOWN, span, Quoting.BARE, fixed=True),), span, many)


def _bare_text(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        piece = part.piece
        if piece is not None and piece.quoting is Quoting.BARE and isinstance(piece.text, str) and not piece.escaped:
            yield piece.text
        else:
            yield " "
