"""A text as its editor counts in it: lines from 0, and within them units of the encoding that was agreed on.

Here the byte offsets of adalint meet the positions of the Language Server Protocol.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from adalint.source import NEWLINE, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsprotocol.types import Position, Range

CODECS: Final = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""For each encoding of positions, how to write a text in it, and the bytes of one unit."""


@dataclass(frozen=True)
class Text:
    """What stands in a document, in UTF-8; `encoding` is how its editor counts within a line."""

    content: bytes
    encoding: str = "utf-16"

    @classmethod
    def of(cls, text: str, encoding: str) -> Text:
        """Take a text from an editor; half a surrogate pair, which is no text, becomes `?`."""
        return cls(text.encode(errors="replace"), encoding)

    @cached_property
    def line_starts(self) -> Sequence[int]:
        """Byte offset of the first byte of each line; LF, CR LF and a lone CR end a line, as the protocol has it."""
        return [0, *(match.end() for match in NEWLINE.finditer(self.content))]

    def offset(self, line: int, character: int) -> int:
        """Turn a position into a byte offset; one beyond the end of its line is there, one beyond the text at its end.

        A position within a character is that of the character.
        """
        if line >= len(self.line_starts):
            return len(self.content)
        start = self.line_starts[max(0, line)]
        stop = self.line_starts[line + 1] if line + 1 < len(self.line_starts) else len(self.content)
        body = self.content[start:stop].rstrip(b"\r\n")
        character = max(0, character)
        if self.encoding == "utf-8" or body.isascii():
            at = min(character, len(body))
            while at < len(body) and at > 0 and body[at] & 0xC0 == 0x80:
                at -= 1
            return start + at
        codec, unit = CODECS[self.encoding]
        before = body.decode().encode(codec)[: character * unit]
        return start + len(before.decode(codec, errors="ignore").encode())

    def position(self, offset: int) -> dict[str, int]:
        """Turn a byte offset into a position."""
        row = bisect_right(self.line_starts, offset) - 1
        before = self.content[self.line_starts[row] : offset]
        if self.encoding == "utf-8" or before.isascii():
            return {"line": row, "character": len(before)}
        codec, unit = CODECS[self.encoding]
        return {"line": row, "character": len(before.decode(errors="replace").encode(codec)) // unit}

    def range(self, span: Span) -> dict[str, dict[str, int]]:
        """Turn a span into a range."""
        return {"start": self.position(span.start), "end": self.position(span.stop)}

    def at(self, position: Position) -> int:
        """Turn a position of the protocol into a byte offset."""
        return self.offset(position.line, position.character)

    def span(self, range_: Range) -> Span:
        """Turn a range of the protocol into a span; one whose ends are swapped is taken as it is meant."""
        ends = sorted((self.at(range_.start), self.at(range_.end)))
        return Span(ends[0], ends[1])

    def replaced(self, span: Span, text: str) -> Text:
        """Give the text with other words in the place of a span."""
        new = text.encode(errors="replace")
        return Text(self.content[: span.start] + new + self.content[span.stop :], self.encoding)
