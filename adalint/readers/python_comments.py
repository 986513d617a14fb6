"""The comments of Python, what a suppression in them covers, and where a new one can stand.

The tokenizer tells them from the same words in strings. A text that it gives up on has the comments before that place.
"""

from __future__ import annotations

import tokenize
from typing import TYPE_CHECKING, Final

from adalint.embedded import with_holes
from adalint.source import Span
from adalint.suppress import MARK, Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source

_LAYOUT: Final = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT})
_END: Final = frozenset({tokenize.ENDMARKER})


def comments_of(source: Source) -> Iterator[Comment]:
    """Give the comments that can hold a suppression, in order.

    One on a line of its own covers what starts on the next line: a statement up to its end (of a compound one the
    header, of a decorated one the decorators, too), or inside brackets the items that start there, such as an argument.
    """
    text = _Tokens(source)
    for index, token in enumerate(text.tokens):
        if token.type != tokenize.COMMENT or MARK not in token.string.lower():
            continue
        start = text.offset(token.start)
        row, column = token.start
        span = Span(start, start + len(token.string.encode()))
        if text.lines[row - 1][:column].strip():
            yield Comment(span, own_line=False, covers=source.line_span(row))
            continue
        below = text.directly_below(index)
        yield Comment(span, own_line=True, covers=None if below is None else text.extent(below))


def anchors(source: Source) -> list[tuple[Span, int]]:
    """List the rows above which a comment can stand, in order, each with what the comment would cover."""
    text = _Tokens(source)
    found = []
    for index, token in enumerate(text.tokens):
        extent = text.extent(index) if text.begins_line(index) else None
        if extent is not None:
            found.append((extent, token.start[0]))
    return found


class _Tokens:
    """The tokens of a text, each with the number of brackets open around it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        # Python and the tokenizer agree on lines only where each ends with a newline of the same kind.
        spans = [source.line_span(row) for row in range(1, len(source.line_starts) + 1)]
        self.lines = [source.content[span.start : span.stop].decode() + "\n" for span in spans]
        self.tokens: list[tokenize.TokenInfo] = []
        self.depths: list[int] = []
        self.in_string: list[bool] = []
        self.commented: set[int] = set()
        depth = strings = 0
        try:
            for token in tokenize.generate_tokens(iter(self.lines).__next__):
                closes = token.type == tokenize.OP and token.string in {")", "]", "}"}
                name = tokenize.tok_name[token.type]
                depth -= closes
                strings -= name.endswith("STRING_END")
                self.tokens.append(token)
                if token.type == tokenize.COMMENT:
                    self.commented.add(token.start[0])
                self.depths.append(depth)
                self.in_string.append(strings > 0)
                depth += token.type == tokenize.OP and token.string in {"(", "[", "{"}
                strings += name.endswith("STRING_START")
        except (tokenize.TokenError, SyntaxError):
            pass

    def offset(self, place: tuple[int, int]) -> int:
        row, column = place
        if row > len(self.lines):
            return len(self.source.content)
        return self.source.line_starts[row - 1] + len(self.lines[row - 1][:column].encode())

    def directly_below(self, index: int) -> int | None:
        """Find the first token under a comment, over other comments but not over an empty line."""
        row = self.tokens[index].start[0]
        for below in range(index + 1, len(self.tokens)):
            token = self.tokens[below]
            if token.type == tokenize.COMMENT and token.start[0] == row + 1:
                row += 1
            elif token.type not in _LAYOUT | _END:
                return below if token.start[0] == row + 1 else None
        return None

    def begins_line(self, index: int) -> bool:
        """Tell whether a comment can stand on a line of its own above this token."""
        token = self.tokens[index]
        row, column = token.start
        if token.type in _LAYOUT | _END or self.in_string[index] or self.lines[row - 1][:column].strip():
            return False
        above = self.lines[row - 2] if row > 1 else ""
        return row - 1 in self.commented or not above.rstrip("\n").endswith("\\")

    def goes_on(self, comma: int, row: int) -> bool:
        """Tell whether the item behind a comma starts on this row."""
        behind = self.tokens[comma + 1 : comma + 2]
        return any(token.type not in _LAYOUT and token.start[0] == row for token in behind)

    def extent(self, index: int) -> Span | None:
        """Tell what a comment directly above a token covers."""
        depth = self.depths[index]
        first = self.tokens[index]
        if depth and first.string in {")", "]", "}", ","}:
            return None
        decorated = first.string == "@" and not depth
        last = first
        for at in range(index, len(self.tokens)):
            token = self.tokens[at]
            if depth and self.depths[at] < depth:
                break
            if depth and self.depths[at] == depth and token.string == "," and not self.goes_on(at, first.start[0]):
                break
            if not depth and token.type == tokenize.NEWLINE:
                if not decorated:
                    break
                follower = next((one for one in self.tokens[at + 1 :] if one.type not in _LAYOUT), first)
                decorated = follower.string == "@" and follower is not first
                continue
            if token.type not in _LAYOUT | _END:
                last = token
        return with_holes(self.source, Span(self.offset(first.start), self.offset(last.end)))
