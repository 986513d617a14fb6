"""Where the mappings of JSON and YAML speak a dialect: under the roots of its record, and in force."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.dialects import spoken_in
from adalint.dialects.reading import Written, is_spoken, site_of
from adalint.dialects.values import is_refused
from adalint.readers.mapping_signs import (
    RECORD_PARENTS,
    is_description,
    is_off,
    is_record,
    is_search_space,
    names_of,
)
from adalint.readers.mapping_spaces import named_space, searched_value
from adalint.readers.mappings import BASES, line_at, repeated_in, values_in
from adalint.readers.tree import Alias, Mapping, Sequence, content
from adalint.schema import FIELDS
from adalint.site import Surface
from adalint.values import Literal

if TYPE_CHECKING:
    from collections import abc

    from adalint.dialects.record import Record
    from adalint.dialects.tables import Target
    from adalint.readers.tree import Entry, Node, Tree
    from adalint.site import Site
    from adalint.source import Source, Span
    from adalint.spaces import Space
    from adalint.values import Symbol, Value


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
                        yield from _searched(
                            source, document, record, root, _written(source, tree, document, node, entry)
                        )


def out_of_force(source: Source, tree: Tree) -> set[Span]:
    """Give the mappings that a framework reads, by its own name for them, without turning AdaLoRA on there."""
    records = [one for one in spoken_in(source.content, source.kind) if one.detect.beside]
    found: set[Span] = set()
    for document in tree.documents:
        if not isinstance(document, Mapping):
            continue
        for record, root in ((one, root) for one in records for root in one.detect.roots if root):
            for node, entry in _under(document, root):
                written = _written(source, tree, document, node, entry)
                if is_spoken(record, written, source.name) and site_of(record, written, source.name) is None:
                    found.add(node.span)
    return found


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
    return site_of(record, _written(source, tree, document, node, entry), source.name)


def _written(source: Source, tree: Tree, document: Mapping, node: Mapping, entry: Entry | None) -> Written:
    in_yaml = entry is not None and not isinstance(entry.key, Alias) and source.kind == "yaml"
    head = line_at(source, entry.key.outer.start if in_yaml and entry is not None else node.span.start)
    return Written(
        source,
        node.span,
        head,
        values_in(source, tree, node),
        names_of(document),
        lambda path: _entry_at(source, tree, document, path),
        repeated_in(source, node),
        open=node.open or bool(BASES & names_of(document)),
    )


def _searched(source: Source, document: Mapping, record: Record, root: str, written: Written) -> abc.Iterator[Site]:
    """Read the same configuration as a search may choose it, where the document has one."""
    parameters = _node_at(document, record.search) if record.search is not None else None
    if not isinstance(parameters, Mapping):
        return
    entries = dict(written.entries)
    spaces: dict[Symbol, Space] = {}
    for name, field in parameters.fields.items():
        holder, _, key = str(name).rpartition(".")
        if str(name) == root or root.startswith(f"{name}."):
            return  # the whole configuration is chosen
        if holder == root and key in record.keys:
            space = _accepted(named_space(field.entry.value), record.keys[key], record)
            entries[key], found = searched_value(source, field.entry, space)
            spaces |= found
    site = site_of(record, replace(written, entries=entries), source.name) if spaces else None
    if site is not None:
        yield replace(site, surface=Surface.SEARCH, spaces=spaces)


def _accepted(space: Space | None, targets: tuple[Target, ...], record: Record) -> Space | None:
    """Leave out what the framework refuses itself."""
    if space is None:
        return None
    fields = [field for target in targets for field in target.to]
    refused = [point for point in space.points if any(is_refused(Literal(point), field, record) for field in fields)]
    points = tuple(point for point in space.points if point not in refused)
    return replace(space, points=points) if points else None


def _node_at(document: Mapping, path: str) -> Node | None:
    node: Node | None = document
    for name in path.split("."):
        if not isinstance(node, Mapping) or name not in node.fields:
            return None
        node = content(node.fields[name].entry.value)
    return node


def _entry_at(source: Source, tree: Tree, document: Mapping, path: str) -> Value | None:
    holder, _, name = path.rpartition(".")
    node = _node_at(document, holder) if holder else document
    return values_in(source, tree, node).get(name) if isinstance(node, Mapping) else None
