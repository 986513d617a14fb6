"""Carrying out operations on the list of entries of a mapping, before anything is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from adalint.fixes.item_edits import cuts_of
from adalint.fixes.layout import BREAK
from adalint.fixes.mapping_page import Slot
from adalint.fixes.operations import Drop, Note, Remove, RemoveEarlier, Rename, Set, Swap, Unplaceable
from adalint.readers.errors import ReadError
from adalint.readers.json_reader import read_json
from adalint.readers.tree import Mapping, Scalar, Sequence, content
from adalint.readers.yaml_reader import read_yaml
from adalint.source import Kind, Source, Span
from adalint.values import Literal, Symbol, is_number

if TYPE_CHECKING:
    from collections import abc

    from adalint.fixes.mapping_page import Page
    from adalint.fixes.operations import Operation


def carry_out(page: Page, slots: list[Slot], operation: Operation) -> None:
    """Do to the entries what an operation asks for.

    Raises:
        Unplaceable: it cannot be done exactly; the message says why.
    """
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


def _set(page: Page, slots: list[Slot], operation: Set) -> None:
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
    slots.insert(len(slots) if behind is None else slots.index(behind) + 1, Slot(None, operation.field, operation.text))


def _find(slots: abc.Sequence[Slot], name: str) -> Slot | None:
    """Give the entry that counts for a key: the last one."""
    return next((slot for slot in reversed(slots) if slot.current == name and not slot.removed), None)


def _merges(page: Page, name: str) -> bool:
    """Tell whether `<<` brings in this key, so that it counts whenever no entry of the mapping has it."""
    bases = [content(entry.value) for entry in page.mapping.entries if entry.merges]
    bases += [content(item) for base in bases if isinstance(base, Sequence) for item in base.items]
    return any(isinstance(base, Mapping) and name in base.fields for base in bases)


def _written(page: Page, slots: abc.Sequence[Slot], name: str) -> Slot:
    slot = _find(slots, name)
    if slot is None:
        merged = page.mapping.fields.get(name)
        if merged is not None and not merged.own:
            _refuse(page, name, merged.entry.key.span.start)
        raise Unplaceable(f"`{name}` is not written here")
    _refuse_shared(page, slot, name)
    return slot


def _refuse_merged(page: Page, slots: abc.Sequence[Slot], name: str) -> Slot:
    slot = _written(page, slots, name)
    if _merges(page, name):
        raise Unplaceable(f"without this `{name}` the one that `<<` merges would count")
    return slot


def _refuse_shared(page: Page, slot: Slot, name: str) -> None:
    entry = slot.entry
    if entry is not None and (page.tree.shares(entry.key.outer) or page.tree.shares(entry.value.outer)):
        _refuse(page, name, entry.key.span.start)


def _refuse(page: Page, name: str, offset: int) -> NoReturn:
    raise Unplaceable(
        f"`{name}` feeds other places through a YAML anchor; "
        f"change it by hand on line {page.source.position(offset).row}"
    )


def _check_text(page: Page, operation: Set) -> None:
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


def _movable(page: Page, slot: Slot) -> str:
    """Give the text of a value that can stand in another place of the same mapping."""
    if slot.text is not None or slot.entry is None:
        return slot.text or ""
    value = slot.entry.value
    text = page.source.slice(value.outer)
    is_block = isinstance(value, Scalar) and value.style in {"|", ">"}
    if not text or is_block or (page.is_yaml and BREAK.search(text.encode())):
        raise Unplaceable(f"the value of `{slot.current}` takes several lines")
    return text


def _drop(page: Page, slot: Slot, items: abc.Sequence[str]) -> None:
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
