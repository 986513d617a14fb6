"""Placing operations in the text of a JSON or YAML mapping: edits of bytes, never a re-serialised value.

The operations are first carried out on the list of entries, then that list is written down as edits. What comes out is
read back before it is handed over: other entries than expected, or a change elsewhere, and it is Unplaceable.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NoReturn

from adalint.fixes.item_edits import cuts_of
from adalint.fixes.layout import BREAK, layout_of
from adalint.fixes.operations import Drop, Note, Remove, RemoveEarlier, Rename, Set, Swap, Unplaceable
from adalint.readers.errors import ReadError
from adalint.readers.json_reader import read_json
from adalint.readers.mappings import read_tree
from adalint.readers.tree import Entry, Mapping, Node, Scalar, Sequence, content, name_of
from adalint.readers.yaml_reader import read_yaml
from adalint.source import Edit, Kind, Source, Span
from adalint.values import Literal, Symbol, is_number

if TYPE_CHECKING:
    from collections import abc

    from adalint.fixes.layout import Layout, Part
    from adalint.fixes.operations import Operation
    from adalint.site import Site

_BLANK: Final = re.compile(rb"[ \t]*")
_COLON: Final = re.compile(rb"\s*:")
_WORD: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_FILE_COMMENT: Final = re.compile(
    rb"#!|.*(?:-\*-|yaml-language-server|adalint: *ignore-file|@package|copyright|licen[cs]e|spdx)", re.IGNORECASE
)
"""Comments that speak of the whole file, even right above its first key."""


def place(site: Site, operations: abc.Sequence[Operation]) -> tuple[Edit, ...]:
    """Turn operations into edits of the mapping that a site was read from; each sees what those before it did.

    Raises:
        Unplaceable: they cannot be placed exactly; the message says why.
    """
    layout = layout_of(site.source)
    mapping = layout.mappings.get(site.span)
    if mapping is None:
        row = site.source.position(site.span.start).row
        raise Unplaceable(f"line {row} holds an alias; change the mapping that it stands for")
    page = _Page(site, layout, mapping)
    slots = [_Slot(entry) for entry in mapping.entries]
    for operation in operations:
        _carry_out(page, slots, operation)
    edits = _Edits(page)
    if mapping.flow:
        _write_flow(page, slots, edits)
    else:
        _write_block(page, slots, edits)
    made = edits.made()
    _read_back(page, slots, made)
    return made


@dataclass(slots=True, eq=False)
class _Slot:
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


class _Page:
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
        at = _end(entry)
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


def _end(entry: Entry) -> int:
    return max(entry.key.outer.stop, entry.value.outer.stop)


# What is to be done, on the list of entries.


def _carry_out(page: _Page, slots: list[_Slot], operation: Operation) -> None:
    match operation:
        case Set():
            _set(page, slots, operation)
        case Remove(name):
            _refuse_merged(page, slots, name)
            for slot in slots:
                slot.removed |= slot.current == name
        case RemoveEarlier(name):
            counts = _written(page, slots, name)
            for slot in slots:
                slot.removed |= slot.current == name and slot is not counts
        case Drop(name, items):
            slot = _written(page, slots, name)
            _drop(page, slot, items)
        case Rename(name, to):
            renamed = _refuse_merged(page, slots, name)
            if _find(slots, to) is not None or _merges(page, to):
                raise Unplaceable(f"`{to}` is written already")
            if sum(slot.current == name and not slot.removed for slot in slots) > 1:
                raise Unplaceable(f"`{name}` is written twice")
            renamed.name = to
        case Swap(first, second):
            one, other = _written(page, slots, first), _written(page, slots, second)
            one.text, other.text = _movable(page, other), _movable(page, one)
        case Note(name, text):
            if not page.is_yaml:
                raise Unplaceable("JSON has no comments")
            note = text.removeprefix("#").strip()
            if not note or BREAK.search(note.encode()):
                raise Unplaceable("a comment is one line of text")
            _written(page, slots, name).notes.append(note)


def _set(page: _Page, slots: list[_Slot], operation: Set) -> None:
    _check_text(page, operation)
    slot = _find(slots, operation.field)
    if slot is not None:
        _refuse_shared(page, slot, operation.field)
        slot.text = operation.text
        return
    if page.tree.shares(page.mapping.span):
        _refuse(page, operation.field, page.mapping.span.start)
    if "class_path" in page.mapping.fields:
        raise Unplaceable("fields belong under `init_args`, which is not written")
    behind = None if operation.after is None else _find(slots, operation.after)
    slots.insert(
        len(slots) if behind is None else slots.index(behind) + 1, _Slot(None, operation.field, operation.text)
    )


def _find(slots: abc.Sequence[_Slot], name: str) -> _Slot | None:
    """Give the entry that counts for a key: the last one."""
    return next((slot for slot in reversed(slots) if slot.current == name and not slot.removed), None)


def _merges(page: _Page, name: str) -> bool:
    """Tell whether `<<` brings in this key, so that it counts whenever no entry of the mapping has it."""
    bases = [content(entry.value) for entry in page.mapping.entries if entry.merges]
    bases += [content(item) for base in bases if isinstance(base, Sequence) for item in base.items]
    return any(isinstance(base, Mapping) and name in base.fields for base in bases)


def _written(page: _Page, slots: abc.Sequence[_Slot], name: str) -> _Slot:
    slot = _find(slots, name)
    if slot is None:
        merged = page.mapping.fields.get(name)
        if merged is not None and not merged.own:
            _refuse(page, name, merged.entry.key.span.start)
        raise Unplaceable(f"`{name}` is not written here")
    _refuse_shared(page, slot, name)
    return slot


def _refuse_merged(page: _Page, slots: abc.Sequence[_Slot], name: str) -> _Slot:
    slot = _written(page, slots, name)
    if _merges(page, name):
        raise Unplaceable(f"without this `{name}` the one that `<<` merges would count")
    return slot


def _refuse_shared(page: _Page, slot: _Slot, name: str) -> None:
    entry = slot.entry
    if entry is not None and (page.tree.shares(entry.key.outer) or page.tree.shares(entry.value.outer)):
        _refuse(page, name, entry.key.span.start)


def _refuse(page: _Page, name: str, offset: int) -> NoReturn:
    raise Unplaceable(
        f"`{name}` feeds other places through a YAML anchor; "
        f"change it by hand on line {page.source.position(offset).row}"
    )


def _check_text(page: _Page, operation: Set) -> None:
    """Refuse a text that does not mean the wanted value in this kind of file."""
    language = page.source.kind.value.upper()
    expr = operation.expr
    if (
        isinstance(expr, Symbol)
        and page.is_yaml
        and re.fullmatch(r"\$\{[\w.]+\}", expr.text)
        and expr.text == operation.text
    ):
        return
    if not isinstance(expr, Literal):
        raise Unplaceable(f"{language} has no expressions")
    try:
        if page.is_yaml:
            root = read_yaml(Source("", Kind.YAML, f"[{operation.text}]".encode())).documents[0]
            items = root.items if isinstance(root, Sequence) else ()
        else:
            items = read_json(Source("", Kind.JSON, operation.text.encode())).documents
    except ReadError:
        items = ()
    if len(items) != 1 or BREAK.search(operation.text.encode()) or not _is_same(items[0].value, expr.value):
        raise Unplaceable(f"`{operation.text}` is not how {language} writes that value")


def _is_same(first: Any, second: Any) -> bool:
    if is_number(first) and is_number(second):
        return bool(first == second) or repr(first) == repr(second) == "nan"
    return type(first) is type(second) and bool(first == second)


def _movable(page: _Page, slot: _Slot) -> str:
    """Give the text of a value that can stand in another place of the same mapping."""
    if slot.text is not None or slot.entry is None:
        return slot.text or ""
    value = slot.entry.value
    text = page.source.slice(value.outer)
    is_block = isinstance(value, Scalar) and value.style in {"|", ">"}
    if not text or is_block or (page.is_yaml and BREAK.search(text.encode())):
        raise Unplaceable(f"the value of `{slot.current}` takes several lines")
    return text


def _drop(page: _Page, slot: _Slot, items: abc.Sequence[str]) -> None:
    """Decide which bytes go so that these items leave the list of an entry."""
    value = slot.entry.value if slot.entry is not None else None
    if not isinstance(value, Sequence):
        raise Unplaceable(f"`{slot.current}` is no list")
    gone = [item.value in items for item in value.items]
    slot.items = tuple(item for item in value.items if item.value not in items)
    if value.flow:
        slot.cuts = cuts_of(page.source, value.outer, [item.outer for item in value.items], gone)
        return
    for number, item in enumerate(value.items):
        if not gone[number]:
            continue
        dash = page.content.rindex(b"-", value.outer.start, item.outer.start)
        above = value.outer.start if number == 0 else page.next_line(value.items[number - 1].outer.stop)
        if not page.starts_line(dash) or page.comment_in(above, dash) is not None:
            raise Unplaceable("a comment or another value stands beside an item that would go")
        slot.cuts.append(Span(page.line_start(dash), page.next_line(item.outer.stop)))


# How it is written.


class _Edits:
    """Collects edits: deletions may overlap, insertions keep their order, notes of one line share a comment."""

    def __init__(self, page: _Page) -> None:
        self.page = page
        self.deletions: list[Span] = []
        self.replacements: list[Edit] = []
        self.insertions: dict[int, list[tuple[int, str]]] = {}
        self.notes: dict[int, list[str]] = {}

    def delete(self, start: int, stop: int) -> None:
        if start < stop:
            self.deletions.append(Span(start, stop))

    def insert(self, offset: int, text: str, rank: int = 2) -> None:
        """Insert text; at one place a comma (rank 0) comes first, then the comment of its line, then new entries."""
        self.insertions.setdefault(offset, []).append((rank, text))

    def keep(self, slot: _Slot) -> None:
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
            self.note(_end(slot.entry), slot.notes, replaced=None if slot.text is None else value.outer)

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


def _pair(page: _Page, slot: _Slot, sibling: Entry | None) -> str:
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


def _groups(slots: abc.Sequence[_Slot]) -> abc.Iterator[tuple[Entry | None, list[_Slot]]]:
    """Give runs of new entries, each with the kept entry that it stands behind (None: before all)."""
    behind: Entry | None = None
    run: list[_Slot] = []
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


def _write_block(page: _Page, slots: list[_Slot], edits: _Edits) -> None:
    originals = [slot for slot in slots if slot.entry is not None]
    kept = [slot.entry for slot in originals if slot.entry is not None and not slot.removed]
    first = page.mapping.entries[0]
    indent = page.indent(first.key.outer.start)
    newline = page.source.newline

    def line(slot: _Slot, sibling: Entry | None) -> str:
        comment = "  # " + "; ".join(slot.notes) if slot.notes else ""
        return _pair(page, slot, sibling) + comment

    for slot in originals:
        entry = slot.entry
        if entry is None or not slot.removed:
            edits.keep(slot)
        elif kept or entry is not first:
            _delete_lines(page, entry, kept, edits)
    for behind, run in _groups(slots):
        if behind is not None:
            for slot in run:
                edits.insert(page.line_stop(_end(behind)), newline + indent + line(slot, behind))
        elif kept:
            lines = [line(slot, kept[0]) for slot in run]
            if page.starts_line(kept[0].key.outer.start):
                edits.insert(page.own_comments(kept[0]), "".join(indent + text + newline for text in lines))
            else:
                edits.insert(kept[0].key.outer.start, "".join(text + newline + indent for text in lines))
    if not kept:
        added = [line(slot, first) for slot in slots if slot.entry is None and not slot.removed]
        edits.replacements.append(
            Edit(Span(first.key.outer.start, _end(first)), (newline + indent).join(added) or "{}")
        )
        if page.starts_line(first.key.outer.start):
            edits.delete(page.own_comments(first), page.line_start(first.key.outer.start))
        comment = page.comment_in(_end(first), page.line_stop(_end(first)))
        if comment is not None:
            edits.delete(_end(first), comment.stop)


def _delete_lines(page: _Page, entry: Entry, kept: abc.Sequence[Entry], edits: _Edits) -> None:
    """Delete an entry of a block with its comments; one that follows a dash makes room for the next that stays."""
    start = entry.key.outer.start
    if page.starts_line(start):
        edits.delete(page.own_comments(entry), page.next_line(_end(entry)))
        return
    number = bisect_right(kept, start, key=lambda other: other.key.outer.start)
    follower = kept[number] if number < len(kept) else None
    if follower is None or page.comment_in(page.line_stop(_end(entry)), follower.key.outer.start) is not None:
        raise Unplaceable("a comment stands between the entries that would move together")
    edits.delete(start, follower.key.outer.start)


def _write_flow(page: _Page, slots: list[_Slot], edits: _Edits) -> None:
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
    for behind, run in _groups(slots):
        if behind is None:
            gap = _gap(page, kept[0], separator)
            pairs = [_pair(page, slot, kept[0]) for slot in run]
            edits.insert(kept[0].key.outer.start, "".join(f"{pair},{gap}" for pair in pairs))
            _note_beside(_end(kept[0]), run, edits)
            continue
        grown.add(behind)
        gap = _gap(page, behind, separator)
        comma = commas[behind]
        end = _end(behind) if comma is None else comma + 1
        if comma is None:
            edits.insert(end, ",", rank=0)
        own_lines = BREAK.match(gap.encode()) is not None and page.ends_line(end)
        if not own_lines:
            _note_beside(end, run, edits)
        at = page.line_stop(end) if own_lines else end
        for slot in run:
            ends = slot is run[-1] and behind is kept[-1] and not trailing
            remark = "  # " + "; ".join(slot.notes) if own_lines and slot.notes else ""
            edits.insert(at, gap + _pair(page, slot, behind) + ("" if ends else ",") + remark)
    comma = commas[kept[-1]]
    if comma is not None and not trailing and kept[-1] not in grown:
        edits.delete(comma, comma + 1)


def _note_beside(offset: int, run: abc.Iterable[_Slot], edits: _Edits) -> None:
    """Put the comments of new entries at the end of the line that they share with others."""
    notes = [note for slot in run for note in slot.notes]
    if notes:
        edits.note(offset, notes)


def _separator(page: _Page, entries: abc.Sequence[Entry], commas: abc.Mapping[Entry, int | None]) -> str:
    """Tell what stands between a comma and the next entry of the same line."""
    for entry, follower in pairwise(entries):
        comma = commas[entry]
        if comma is not None:
            between = page.content[comma + 1 : follower.key.outer.start]
            if not between.strip(b" \t"):
                return between.decode()
    tight = not page.is_yaml and entries and page.between(entries[0]) == ":"
    return "" if tight else " "


def _gap(page: _Page, sibling: Entry, separator: str) -> str:
    """Tell what stands between a comma and a new entry beside this one: a line break when it has a line of its own."""
    start = sibling.key.outer.start
    return page.source.newline + page.indent(start) if page.starts_line(start) else separator


def _delete_item(
    page: _Page,
    entry: Entry,
    kept: abc.Sequence[Entry],
    commas: abc.Mapping[Entry, int | None],
    edits: _Edits,
) -> None:
    """Delete an entry between commas, with its line and its comments when it has the line to itself."""
    start = entry.key.outer.start
    comma = commas[entry]
    after = _end(entry) if comma is None else comma + 1
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
    page: _Page,
    slots: abc.Sequence[_Slot],
    separator: str,
    commas: abc.Mapping[Entry, int | None],
    edits: _Edits,
) -> None:
    """Write a mapping of which no old entry stays."""
    opening, closing = page.mapping.span.start, page.mapping.span.stop - 1
    entries = page.mapping.entries
    added = [slot for slot in slots if slot.entry is None and not slot.removed]
    if not entries:
        edits.insert(opening + 1, f",{separator}".join(_pair(page, slot, None) for slot in added))
        _note_beside(closing, added, edits)
    elif page.comment_in(opening, closing) is None:
        gap = _gap(page, entries[0], separator)
        text = f",{gap}".join(_pair(page, slot, entries[0]) for slot in added)
        start, stop = entries[0].key.outer.start, _end(entries[-1])
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
            edits.insert(at, gap.lstrip("\r\n") + _pair(page, slot, entries[0]) + comma + remark + page.source.newline)


# Reading back.


def _read_back(page: _Page, slots: abc.Sequence[_Slot], edits: tuple[Edit, ...]) -> None:
    """Refuse edits that do not lead to exactly the wanted entries with all the rest as it was."""
    try:
        part, after = _edited_part(page, slots, edits)
        tree = read_tree(after)
    except (ReadError, ValueError):
        raise Unplaceable("the edits would not leave a readable file") from None
    before, target, _ = _outline(page.source, part.holds, page.mapping)
    now, _, mapping = _outline(after, tree.documents, target)
    live = [slot for slot in slots if not slot.removed]
    if before != now or mapping is None or len(mapping.entries) != len(live):
        raise Unplaceable("the edits would change more than the configuration")
    for slot, entry in zip(live, mapping.entries, strict=True):
        same_key = slot.current == name_of(entry) and (slot.entry is None or slot.entry.merges == entry.merges)
        if slot.text is not None:
            same_value = after.slice(entry.value.outer) == slot.text
        elif slot.items is not None:
            kept = ["[", *_outline(page.source, slot.items, None)[0], "]"]
            same_value = _outline(after, (entry.value,), None)[0] == kept
        else:
            old = () if slot.entry is None else (slot.entry.value,)
            same_value = _outline(page.source, old, None)[0] == _outline(after, (entry.value,), None)[0]
        if not same_key or not same_value:
            raise Unplaceable(f"`{slot.current}` cannot be written there exactly")


def _edited_part(page: _Page, slots: abc.Sequence[_Slot], edits: tuple[Edit, ...]) -> tuple[Part, Source]:
    """Make the edits in the smallest part of the text that can be read alone, else in all of it.

    Raises:
        ValueError: two edits touch the same bytes.
    """
    part = page.layout.part_around(page.mapping)
    inside = all(part.start <= edit.span.start and edit.span.stop <= part.span.stop for edit in edits)
    # How deep a value may still nest, only the whole text can tell.
    if inside and not any(slot.text is not None and slot.text[:1] in {"[", "{"} for slot in slots):
        alone = replace(page.source, content=page.content[part.span.start : part.span.stop])
        start = part.span.start
        after = alone.apply(Edit(Span(edit.span.start - start, edit.span.stop - start), edit.text) for edit in edits)
        if page.layout.ends_like(part, after.content):
            return part, after
    return page.layout.whole(), page.source.apply(edits)


def _outline(
    source: Source, roots: abc.Sequence[Node | str], target: Mapping | int | None
) -> tuple[list[str], int, Mapping | None]:
    """List all scalars and brackets but those of one mapping, given as such or by its place in the list.

    Returns the list, the place of the mapping, and the mapping.
    """
    outline: list[str] = []
    found: Mapping | None = None
    at = -1
    stack: list[Node | str] = list(reversed(roots))
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            outline.append(node)
        elif isinstance(node, Mapping) and (node is target or len(outline) == target) and found is None:
            at, found = len(outline), node
            outline.append("target")
        elif isinstance(node, Mapping):
            stack.append("}")
            for entry in reversed(node.entries):
                stack += (entry.value, entry.key)
            outline.append("{")
        elif isinstance(node, Sequence):
            stack += ("]", *reversed(node.items))
            outline.append("[")
        else:
            outline.append(f"{source.slice(node.outer)} is {node.value!r}")
    return outline, at, found
