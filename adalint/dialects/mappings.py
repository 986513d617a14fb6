"""Where the mappings of JSON and YAML speak a dialect: under the roots of its record, and in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adalint.dialects import spoken_in
from adalint.dialects.reading import MISSING, Written, site_of
from adalint.readers.mapping_signs import (
    RECORD_PARENTS,
    is_description,
    is_off,
    is_record,
    is_search_space,
    names_of,
)
from adalint.readers.mappings import BASES, line_at, repeated_in, values_in
from adalint.readers.tree import Alias, Mapping, Sequence, content
from adalint.schema import FIELDS

if TYPE_CHECKING:
    from collections import abc

    from adalint.dialects.record import Record
    from adalint.readers.tree import Entry, Node, Tree
    from adalint.site import Site
    from adalint.source import Source, Span


def dialect_sites(source: Source, tree: Tree) -> abc.Iterator[Site]:
    """Read every mapping that speaks a framework's dialect; one that speaks several is the first one's."""
    records = spoken_in(source.content, source.kind)
    seen: set[Span] = set()
    for document in tree.documents if records else ():
        if not isinstance(document, Mapping):
            continue
        for record in records:
            for root in record.detect.roots:
                for node, entry in _under(document, root):
                    site = None if node.span in seen else _site(source, tree, document, record, node, entry)
                    if site is not None:
                        seen.add(node.span)
                        yield site


def _under(document: Mapping, path: str) -> abc.Iterator[tuple[Mapping, Entry | None]]:
    """Give the mappings at a path that are in force, each with the entry that holds it."""
    places: list[tuple[Node, Entry | None]] = [(document, None)]
    for name in path.split(".") if path else ():
        places = [inner for node, _ in places for inner in _inside(content(node), name)]
    for node, entry in places:
        # An alias stands for a mapping that is written, and judged, elsewhere.
        if isinstance(node, Mapping) and _counts(node):
            yield node, entry


def _inside(node: Node | None, name: str) -> list[tuple[Node, Entry | None]]:
    if isinstance(node, Sequence):
        return [(item, None) for item in node.items] if name == "*" else []
    if not isinstance(node, Mapping) or not _counts(node):
        return []
    fields = list(node.fields.items()) if name == "*" else [(name, node.fields[name])] if name in node.fields else []
    return [
        (field.entry.value, field.entry)
        for key, field in fields
        if isinstance(key, str) and not RECORD_PARENTS.fullmatch(key)
    ]


def _counts(node: Mapping) -> bool:
    return node.plain and not is_record(node) and not is_off(node)


def _site(
    source: Source, tree: Tree, document: Mapping, record: Record, node: Mapping, entry: Entry | None
) -> Site | None:
    numbers = frozenset(
        key
        for key, targets in record.keys.items()
        if any(FIELDS[field].numeric for target in targets for field in target.to)
    )
    if is_search_space(node, numbers) or is_description(node, numbers):
        return None
    in_yaml = entry is not None and not isinstance(entry.key, Alias) and source.kind == "yaml"
    head = line_at(source, entry.key.outer.start if in_yaml and entry is not None else node.span.start)
    written = Written(
        source,
        node.span,
        head,
        values_in(source, tree, node),
        names_of(document),
        lambda path: _value_at(document, path),
        repeated_in(source, node),
        open=node.open or bool(BASES & names_of(document)),
    )
    return site_of(record, written, source.name)


def _value_at(document: Mapping, path: str) -> Any:
    node: Node | None = document
    for name in path.split("."):
        if not isinstance(node, Mapping) or name not in node.fields:
            return MISSING
        node = content(node.fields[name].entry.value)
    return MISSING if node is None else node.value
