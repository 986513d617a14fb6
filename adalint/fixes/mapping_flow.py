"""Writing the changed entries of a flow mapping, JSON's included: what stands between commas."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from adalint.fixes.layout import BREAK
from adalint.fixes.mapping_page import end_of
from adalint.fixes.mapping_pieces import groups_of, pair_of
from adalint.fixes.operations import Unplaceable
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections import abc

    from adalint.fixes.mapping_page import Page, Slot
    from adalint.fixes.mapping_pieces import Edits
    from adalint.readers.tree import Entry


def write_flow(page: Page, slots: list[Slot], edits: Edits) -> None:
    """Turn what has become of the entries into edits between their commas."""
    if not page.content.startswith(b"{", page.mapping.span.start):
        raise Unplaceable("a pair without braces in a list")
    originals = [slot for slot in slots if slot.entry is not None]
    entries = page.mapping.entries
    kept = [slot.entry for slot in originals if slot.entry is not None and not slot.removed]
    commas = {entry: page.comma_after(entry) for entry in entries}
    trailing = bool(entries) and commas[entries[-1]] is not None
    separator = _separator(page, entries, commas)
    for slot in originals:
        if not slot.removed:
            edits.keep(slot)
    if not kept:
        _fill(page, slots, separator, commas, edits)
        return
    for slot in originals:
        if slot.entry is not None and slot.removed:
            _delete_item(page, slot.entry, kept, commas, edits)
    grown = set()
    for behind, run in groups_of(slots):
        if behind is None:
            gap = _gap(page, kept[0], separator)
            pairs = [pair_of(page, slot, kept[0]) for slot in run]
            edits.insert(kept[0].key.outer.start, "".join(f"{pair},{gap}" for pair in pairs))
            _note_beside(end_of(kept[0]), run, edits)
            continue
        grown.add(behind)
        gap = _gap(page, behind, separator)
        comma = commas[behind]
        end = end_of(behind) if comma is None else comma + 1
        if comma is None:
            edits.insert(end, ",", rank=0)
        own_lines = BREAK.match(gap.encode()) is not None and page.ends_line(end)
        if not own_lines:
            _note_beside(end, run, edits)
        at = page.line_stop(end) if own_lines else end
        for slot in run:
            ends = slot is run[-1] and behind is kept[-1] and not trailing
            remark = "  # " + "; ".join(slot.notes) if own_lines and slot.notes else ""
            edits.insert(at, gap + pair_of(page, slot, behind) + ("" if ends else ",") + remark)
    comma = commas[kept[-1]]
    if comma is not None and not trailing and kept[-1] not in grown:
        edits.delete(comma, comma + 1)


def _note_beside(offset: int, run: abc.Iterable[Slot], edits: Edits) -> None:
    """Put the comments of new entries at the end of the line that they share with others."""
    notes = [note for slot in run for note in slot.notes]
    if notes:
        edits.note(offset, notes)


def _separator(page: Page, entries: abc.Sequence[Entry], commas: abc.Mapping[Entry, int | None]) -> str:
    """Tell what stands between a comma and the next entry of the same line."""
    for entry, follower in pairwise(entries):
        comma = commas[entry]
        if comma is not None:
            between = page.content[comma + 1 : follower.key.outer.start]
            if not between.strip(b" \t"):
                return between.decode()
    tight = not page.is_yaml and entries and page.between(entries[0]) == ":"
    return "" if tight else " "


def _gap(page: Page, sibling: Entry, separator: str) -> str:
    """Tell what stands between a comma and a new entry beside this one: a line break when it has a line of its own."""
    start = sibling.key.outer.start
    return page.source.newline + page.indent(start) if page.starts_line(start) else separator


def _delete_item(
    page: Page,
    entry: Entry,
    kept: abc.Sequence[Entry],
    commas: abc.Mapping[Entry, int | None],
    edits: Edits,
) -> None:
    """Delete an entry between commas, with its line and its comments when it has the line to itself."""
    start = entry.key.outer.start
    comma = commas[entry]
    after = end_of(entry) if comma is None else comma + 1
    number = bisect_left(kept, start, key=lambda other: other.key.outer.start)
    before = commas[kept[number - 1]] if number else None
    index = bisect_right(page.mapping.entries, start, key=lambda other: other.key.outer.start)
    follower = page.mapping.entries[index].key.outer.start if index < len(page.mapping.entries) else None
    if page.starts_line(start) and page.ends_line(after):
        edits.delete(page.own_comments(entry), page.next_line(after))
    elif before is not None and page.line_start(start) <= before:
        edits.delete(before + 1, after)
    elif follower is not None and page.comment_in(after, follower) is None:
        edits.delete(start, follower)
    elif before is not None and page.comment_in(before, start) is None:
        edits.delete(before + 1, after)
    else:
        edits.delete(start, after)


def _fill(
    page: Page,
    slots: abc.Sequence[Slot],
    separator: str,
    commas: abc.Mapping[Entry, int | None],
    edits: Edits,
) -> None:
    """Write a mapping of which no old entry stays."""
    opening, closing = page.mapping.span.start, page.mapping.span.stop - 1
    entries = page.mapping.entries
    added = [slot for slot in slots if slot.entry is None and not slot.removed]
    if not entries:
        edits.insert(opening + 1, f",{separator}".join(pair_of(page, slot, None) for slot in added))
        _note_beside(closing, added, edits)
    elif page.comment_in(opening, closing) is None:
        gap = _gap(page, entries[0], separator)
        text = f",{gap}".join(pair_of(page, slot, entries[0]) for slot in added)
        start, stop = entries[0].key.outer.start, end_of(entries[-1])
        edits.replacements.append(Edit(Span(start, stop) if added else Span(opening + 1, closing), text))
        _note_beside(closing, added, edits)
    else:
        for entry in entries:
            _delete_item(page, entry, (), commas, edits)
        gap = _gap(page, entries[0], separator)
        if BREAK.match(gap.encode()) is None and added:
            raise Unplaceable("comments stand between the entries that would go")
        at = page.own_comments(entries[0])
        for slot in added:
            comma = "" if slot is added[-1] else ","
            remark = "  # " + "; ".join(slot.notes) if slot.notes else ""
            edits.insert(
                at, gap.lstrip("\r\n") + pair_of(page, slot, entries[0]) + comma + remark + page.source.newline
            )
