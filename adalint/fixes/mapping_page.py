"""The text around a mapping of JSON or YAML, and its entries while it is decided what becomes of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adalint.fixes.layout import BREAK
from adalint.readers.tree import Entry, Mapping, Node, name_of
from adalint.source import Kind, Span

if TYPE_CHECKING:
    from adalint.fixes.layout import Layout
    from adalint.site import Site

_BLANK: Final = re.compile(rb"[ \t]*")
_WORD: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_FILE_COMMENT: Final = re.compile(
    rb"#!|.*(?:-\*-|yaml-language-server|adalint: *ignore-file|@package|copyright|licen[cs]e|spdx)", re.IGNORECASE
)
"""Comments that speak of the whole file, even right above its first key."""


@dataclass(slots=True, eq=False)
class Slot:
    """An entry on its way: what was written (None for a new one), and what has been decided about it."""

    entry: Entry | None
    name: str | None = None
    text: str | None = None
    notes: list[str] = field(default_factory=list)
    removed: bool = False
    cuts: list[Span] = field(default_factory=list)
    items: tuple[Node, ...] | None = None
    """Of a list that loses some, the items that stay; `cuts` are the bytes that go."""

    @property
    def current(self) -> str | None:
        """The key that the entry goes by now."""
        return name_of(self.entry) if self.name is None and self.entry is not None else self.name


class Page:
    """The text around a mapping: its comments and its lines."""

    def __init__(self, site: Site, layout: Layout, mapping: Mapping) -> None:
        self.source = site.source
        self.content = site.source.content
        self.layout = layout
        self.tree = layout.tree
        self.mapping = mapping
        self.is_yaml = site.source.kind is Kind.YAML
        self.line_start = layout.line_start
        self.line_stop = layout.line_stop
        self.next_line = layout.next_line
        self.comment_in = layout.comment_in

    def skip_blanks(self, offset: int) -> int:
        """Give the next byte that is no space or tab."""
        found = _BLANK.match(self.content, offset)
        return found.end() if found else offset

    def ends_line(self, offset: int) -> bool:
        """Tell whether nothing but blanks and a comment follow on the line."""
        after = self.skip_blanks(offset)
        return after >= self.line_stop(offset) or self.comment_in(after, after + 1) is not None

    def starts_line(self, offset: int) -> bool:
        """Tell whether nothing but blanks stand before on the line."""
        return self.skip_blanks(self.line_start(offset)) >= offset

    def indent(self, offset: int) -> str:
        """Give the blanks that put a new line right under this byte."""
        before = self.content[self.line_start(offset) : offset].decode()
        return "".join(character if character == "\t" else " " for character in before)

    def comma_after(self, entry: Entry) -> int | None:
        """Find the comma behind an entry of a flow mapping, comments skipped."""
        at = end_of(entry)
        while at < self.mapping.span.stop:
            comment = self.comment_in(at, at + 1)
            if comment is not None:
                at = comment.stop
            elif (found := BREAK.match(self.content, at)) is not None:
                at = found.end()
            elif self.content[at : at + 1] in {b" ", b"\t"}:
                at += 1
            else:
                return at if self.content[at : at + 1] == b"," else None
        return None

    def between(self, entry: Entry) -> str:
        """Give what stands between the key and the value: the colon, as a rule."""
        start = entry.key.outer.stop
        return self.content[start : max(start, entry.value.outer.start)].decode()

    def own_comments(self, entry: Entry) -> int:
        """Give the first byte of the comment lines directly above an entry, else of its own line."""
        start = self.line_start(entry.key.outer.start)
        while start:
            above = self.line_start(self.line_stop_before(start))
            text = self.skip_blanks(above)
            comment = self.comment_in(text, text + 1)
            if comment is None or _FILE_COMMENT.match(self.content, comment.start, comment.stop):
                break
            start = above
        return start

    def line_stop_before(self, start: int) -> int:
        """Give the end of the line above, without its break."""
        breaks = (b"\r\n", b"\n", b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
        return start - next((len(end) for end in breaks if self.content.endswith(end, 0, start)), 1)


def end_of(entry: Entry) -> int:
    """Give where an entry ends, its value written or not."""
    return max(entry.key.outer.stop, entry.value.outer.stop)
