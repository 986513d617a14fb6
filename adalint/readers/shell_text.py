"""A script within a text: what the shell gets to read, and where each byte of it is written."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from adalint.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tree_sitter import Node

    from adalint.readers.shell_variables import Variable


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a script, and where it stands; one that is not `plain` is written otherwise, and has no parts."""

    text: bytes
    span: Span
    plain: bool = True


@dataclass(frozen=True)
class ShellText:
    """A script in chunks. `barred` are the characters that no edit may bring there; see `Piece`.

    `given` are the variables that it starts with, where the text around it tells. `is_bash` is False for what a plain
    `sh` runs, which may or may not know `$'…'`.
    """

    chunks: tuple[Chunk, ...] = field(repr=False)
    barred: str = ""
    given: Mapping[str, Variable] = field(default_factory=dict, repr=False, compare=False)
    is_bash: bool = True

    @classmethod
    def whole(cls, content: bytes, *, is_bash: bool = True) -> ShellText:
        """Take a text that is nothing but a script."""
        return cls((Chunk(content, Span(0, len(content))),), is_bash=is_bash)

    @classmethod
    def joined(
        cls,
        chunks: Iterable[Chunk],
        barred: str = "",
        given: Mapping[str, Variable] | None = None,
        *,
        is_bash: bool = True,
    ) -> ShellText:
        """Join chunks in order, those without text left out."""
        return cls(tuple(chunk for chunk in chunks if chunk.text), barred, given or {}, is_bash)

    @cached_property
    def content(self) -> bytes:
        """What the shell reads."""
        return b"".join(chunk.text for chunk in self.chunks)

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for chunk in self.chunks:
            starts.append(starts[-1] + len(chunk.text))
        return starts

    def slice(self, node: Node) -> str:
        """Give the text of a node of its tree."""
        return self.content[node.start_byte : node.end_byte].decode()

    def out(self, start: int, stop: int) -> tuple[Span, bool]:
        """Give the place of some bytes, and whether it is exactly theirs."""
        if not self.chunks:
            return Span(0, 0), False
        first = min(bisect_right(self._starts, start) - 1, len(self.chunks) - 1)
        if stop <= start:
            place, exact = self._place(first, start)
            return Span(place, place), exact
        last = min(bisect_right(self._starts, stop - 1) - 1, len(self.chunks) - 1)
        begin, exact_begin = self._place(first, start)
        final = self.chunks[last]
        inside = stop - self._starts[last]
        plain = final.plain or inside == len(final.text)
        end = final.span.start + inside if final.plain else final.span.stop
        return Span(min(begin, end), max(begin, end)), exact_begin and plain and begin <= end

    def parts(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Part some bytes where they are written in different chunks; a character is never parted."""
        index = bisect_right(self._starts, start) - 1
        while start < stop:
            end = min(stop, self._starts[index + 1])
            yield start, end
            start, index = end, index + 1

    def is_plain(self, start: int, stop: int) -> bool:
        """Tell whether some bytes stand in the source as they are."""
        if stop <= start:
            return True
        first, last = bisect_right(self._starts, start) - 1, bisect_right(self._starts, stop - 1) - 1
        return first == last and self.chunks[first].plain

    def _place(self, index: int, offset: int) -> tuple[int, bool]:
        chunk = self.chunks[index]
        inside = offset - self._starts[index]
        if chunk.plain:
            return chunk.span.start + inside, True
        if inside == len(chunk.text):
            return chunk.span.stop, True
        return chunk.span.start, inside == 0
