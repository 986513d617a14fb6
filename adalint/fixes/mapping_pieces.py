"""What writing block and flow mappings has in common: collected edits, and entries in the manner of their siblings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from adalint.fixes.mapping_page import end_of
from adalint.fixes.operations import Unplaceable
from adalint.readers.tree import Entry, Scalar
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections import abc

    from adalint.fixes.mapping_page import Page, Slot


_COLON: Final = re.compile(rb"\s*:")
_WORD: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Edits:
    """Collects edits: deletions may overlap, insertions keep their order, notes of one line share a comment."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.deletions: list[Span] = []
        self.replacements: list[Edit] = []
        self.insertions: dict[int, list[tuple[int, str]]] = {}
        self.notes: dict[int, list[str]] = {}

    def delete(self, start: int, stop: int) -> None:
        """Delete bytes, if there are any."""
        if start < stop:
            self.deletions.append(Span(start, stop))

    def insert(self, offset: int, text: str, rank: int = 2) -> None:
        """Insert text; at one place a comma (rank 0) comes first, then the comment of its line, then new entries."""
        self.insertions.setdefault(offset, []).append((rank, text))

    def keep(self, slot: Slot) -> None:
        """Write what has changed of an entry that stays."""
        if slot.entry is None:
            return
        key, value = slot.entry.key, slot.entry.value
        if slot.name is not None:
            if not isinstance(key, Scalar) or key.style in {"|", ">"}:
                raise Unplaceable("the key is not a plain or quoted string")
            self.replacements.append(Edit(key.span, _key(slot.name, key.style)))
        if slot.text is not None:
            if not _COLON.match(self.page.content, key.outer.stop, max(key.outer.stop, value.outer.start)):
                raise Unplaceable(f"`{slot.current}` has no `:` in front of a value")
            joined = value.outer.start and self.page.content[value.outer.start - 1 : value.outer.start] == b":"
            space = " " if joined and self.page.is_yaml else ""
            self.replacements.append(Edit(value.outer, space + slot.text))
        for span in slot.cuts:
            self.delete(span.start, span.stop)
        if slot.notes:
            self.note(end_of(slot.entry), slot.notes, replaced=None if slot.text is None else value.outer)

    def note(self, offset: int, notes: abc.Iterable[str], replaced: Span | None = None) -> None:
        """Put comments at the end of the line, which must not be inside a scalar that stays."""
        stop = self.page.line_stop(offset)
        leaf = self.page.layout.leaf_before(stop)
        if leaf is not None and not (replaced is not None and replaced.contains(leaf.outer)):
            is_block = isinstance(leaf, Scalar) and leaf.style in {"|", ">"}
            if stop < leaf.outer.stop or (is_block and stop == leaf.outer.stop):
                raise Unplaceable("a scalar goes on behind the end of that line, so that no comment can stand there")
        self.notes.setdefault(stop, []).extend(notes)

    def made(self) -> tuple[Edit, ...]:
        """Give the edits, sorted and apart from each other."""
        deletions: list[Edit] = []
        for span in sorted(self.deletions):
            start, stop = span.start, span.stop
            if deletions and deletions[-1].span.stop >= start:
                last = deletions.pop().span
                start, stop = last.start, max(last.stop, stop)
            deletions.append(Edit(Span(start, stop), ""))
        for stop, notes in self.notes.items():
            start = self.page.line_start(stop)
            comment = self.page.comment_in(start, stop)
            end = start + len(self.page.content[start:stop].rstrip(b" \t"))
            text = "; ".join(notes)
            self.insert(end, f"; {text}" if comment is not None else f"  # {text}", rank=1)
        insertions = [
            Edit(Span(offset, offset), "".join(text for _, text in sorted(pieces, key=lambda piece: piece[0])))
            for offset, pieces in self.insertions.items()
        ]
        return tuple(sorted([*self.replacements, *deletions, *insertions]))


def _key(name: str, style: str) -> str:
    if style == "'":
        return "'" + name.replace("'", "''") + "'"
    return name if not style and _WORD.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def pair_of(page: Page, slot: Slot, sibling: Entry | None) -> str:
    """Write a new entry in the manner of a sibling."""
    style, colon = "" if page.is_yaml else '"', ": "
    if sibling is not None:
        if isinstance(sibling.key, Scalar) and sibling.key.style in {"'", '"'}:
            style = sibling.key.style
        between = page.between(sibling)
        if re.fullmatch(r"[ \t]*:[ \t]*", between) and sibling.value.outer.start < sibling.value.outer.stop:
            colon = between
    key = _key(str(slot.name), style)
    if page.is_yaml and not colon.endswith((" ", "\t")) and not (page.mapping.flow and key.endswith(('"', "'"))):
        colon += " "
    return f"{key}{colon}{slot.text}"


def groups_of(slots: abc.Sequence[Slot]) -> abc.Iterator[tuple[Entry | None, list[Slot]]]:
    """Give runs of new entries, each with the kept entry that it stands behind (None: before all)."""
    behind: Entry | None = None
    run: list[Slot] = []
    for slot in slots:
        if slot.removed:
            continue
        if slot.entry is None:
            run.append(slot)
            continue
        if run:
            yield behind, run
        behind, run = slot.entry, []
    if run:
        yield behind, run
