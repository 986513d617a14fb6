"""Writing the changed entries of a block mapping: whole lines, with the comments that belong to them."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from adalint.fixes.mapping_page import end_of
from adalint.fixes.mapping_pieces import groups_of, pair_of
from adalint.fixes.operations import Unplaceable
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections import abc

    from adalint.fixes.mapping_page import Page, Slot
    from adalint.fixes.mapping_pieces import Edits
    from adalint.readers.tree import Entry


def write_block(page: Page, slots: list[Slot], edits: Edits) -> None:
    """Turn what has become of the entries into edits of their lines."""
    originals = [slot for slot in slots if slot.entry is not None]
    kept = [slot.entry for slot in originals if slot.entry is not None and not slot.removed]
    first = page.mapping.entries[0]
    indent = page.indent(first.key.outer.start)
    newline = page.source.newline

    def line(slot: Slot, sibling: Entry | None) -> str:
        comment = "  # " + "; ".join(slot.notes) if slot.notes else ""
        return pair_of(page, slot, sibling) + comment

    for slot in originals:
        entry = slot.entry
        if entry is None or not slot.removed:
            edits.keep(slot)
        elif kept or entry is not first:
            _delete_lines(page, entry, kept, edits)
    for behind, run in groups_of(slots):
        if behind is not None:
            for slot in run:
                edits.insert(page.line_stop(end_of(behind)), newline + indent + line(slot, behind))
        elif kept:
            lines = [line(slot, kept[0]) for slot in run]
            if page.starts_line(kept[0].key.outer.start):
                edits.insert(page.own_comments(kept[0]), "".join(indent + text + newline for text in lines))
            else:
                edits.insert(kept[0].key.outer.start, "".join(text + newline + indent for text in lines))
    if not kept:
        added = [line(slot, first) for slot in slots if slot.entry is None and not slot.removed]
        edits.replacements.append(
            Edit(Span(first.key.outer.start, end_of(first)), (newline + indent).join(added) or "{}")
        )
        if page.starts_line(first.key.outer.start):
            edits.delete(page.own_comments(first), page.line_start(first.key.outer.start))
        comment = page.comment_in(end_of(first), page.line_stop(end_of(first)))
        if comment is not None:
            edits.delete(end_of(first), comment.stop)


def _delete_lines(page: Page, entry: Entry, kept: abc.Sequence[Entry], edits: Edits) -> None:
    """Delete an entry of a block with its comments; one that follows a dash makes room for the next that stays."""
    start = entry.key.outer.start
    if page.starts_line(start):
        edits.delete(page.own_comments(entry), page.next_line(end_of(entry)))
        return
    number = bisect_right(kept, start, key=lambda other: other.key.outer.start)
    follower = kept[number] if number < len(kept) else None
    if follower is None or page.comment_in(page.line_stop(end_of(entry)), follower.key.outer.start) is not None:
        raise Unplaceable("a comment stands between the entries that would move together")
    edits.delete(start, follower.key.outer.start)
