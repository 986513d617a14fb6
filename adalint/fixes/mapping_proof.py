"""Reading edits of a mapping back before they are handed over: the wanted entries, and all the rest as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.fixes.operations import Unplaceable
from adalint.readers.errors import ReadError
from adalint.readers.mappings import read_tree
from adalint.readers.tree import Mapping, Node, Sequence, name_of
from adalint.source import Edit, Source, Span

if TYPE_CHECKING:
    from collections import abc

    from adalint.fixes.layout import Part
    from adalint.fixes.mapping_page import Page, Slot


def read_back(page: Page, slots: abc.Sequence[Slot], edits: tuple[Edit, ...]) -> None:
    """Refuse edits that do not lead to exactly the wanted entries with all the rest as it was."""
    try:
        part, after = _edited_part(page, slots, edits)
        tree = read_tree(after, part.aliases)
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


def _edited_part(page: Page, slots: abc.Sequence[Slot], edits: tuple[Edit, ...]) -> tuple[Part, Source]:
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
