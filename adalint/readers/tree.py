"""The positioned tree that JSON and YAML are read into.

Every node knows its bytes and its Python value. Nothing here is recursive, and aliases are references: a text of any
nesting, or one that expands to billions of items, costs what its bytes cost.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections import abc

    from adalint.source import Span

MAX_DEPTH: Final = 1_000
"""Deeper nesting is refused: Python's own readers give up there, too."""

MAX_WEIGHT: Final = 1_000
"""An alias of a value with more items than this is not known: such values grow tenfold per line."""


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A single value: `span` as it is written with its quotes, `outer` with its YAML anchor and tag as well.

    `style` is the mark that YAML opens it with: one of `' " | >`, empty when plain.
    """

    span: Span
    outer: Span
    value: Any
    style: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Alias:
    """A YAML alias; `target` is None when the anchor is still open around it."""

    span: Span
    name: str
    target: Content | None

    @property
    def outer(self) -> Span:
        """The same as `span`: an alias has neither anchor nor tag."""
        return self.span

    @property
    def weight(self) -> int:
        """The number of scalars that the alias stands for."""
        return 1 if self.target is None else self.target.weight

    @property
    def value(self) -> Any:
        """The value of the anchored node, UNKNOWN when that is too much to look at."""
        return UNKNOWN if self.target is None or self.target.weight > MAX_WEIGHT else self.target.value


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list; `flow` says that it stands in brackets."""

    span: Span
    outer: Span
    items: tuple[Node, ...]
    flow: bool
    value: Any
    weight: int


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A key and its value as written; `merges` marks a YAML `<<`."""

    key: Node
    value: Node
    merges: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The entry that counts for a key; `own` is False when `<<` brings it in from another mapping."""

    entry: Entry
    own: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """A mapping: `entries` as written, duplicates included; `fields` as they count, merged ones first.

    `open` says that it merges something that cannot be seen, `plain` that no YAML tag changes its meaning.
    """

    span: Span
    outer: Span
    entries: tuple[Entry, ...]
    fields: abc.Mapping[Any, Field]
    flow: bool
    value: Any
    weight: int
    open: bool = False
    plain: bool = True


Content: TypeAlias = "Scalar | Sequence | Mapping"
Node: TypeAlias = "Content | Alias"


@dataclass(slots=True, eq=False)
class Anchor:
    """An anchored node's bytes, and how often it is merged by `<<` and used as a value."""

    name: str
    outer: Span | None = None
    node: Content | None = None
    merged: int = 0
    used: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """What one text holds: its documents (one in JSON) and its anchors."""

    documents: tuple[Node, ...]
    anchors: tuple[Anchor, ...] = ()

    def shares(self, span: Span) -> bool:
        """Tell whether these bytes lie under an anchor that feeds other places."""
        starts, stops = _feeding(self)
        return bool(starts) and stops[bisect_right(starts, span.start)] >= span.stop

    def templates(self) -> frozenset[Content]:
        """Give the nodes whose anchor only feeds `<<`: material, no configuration of its own."""
        return frozenset(
            anchor.node for anchor in self.anchors if anchor.merged and not anchor.used and anchor.node is not None
        )


@functools.lru_cache(maxsize=4)
def _feeding(tree: Tree) -> tuple[list[int], list[int]]:
    """List where anchors that feed other places start, and how far those before each place in that list reach."""
    spans = sorted(
        anchor.outer for anchor in tree.anchors if (anchor.merged or anchor.used) and anchor.outer is not None
    )
    return [span.start for span in spans], list(accumulate((span.stop for span in spans), max, initial=-1))


def content(node: Node) -> Content | None:
    """Follow an alias to what it stands for."""
    return node.target if isinstance(node, Alias) else node


def name_of(entry: Entry) -> str | None:
    """Give the key of an entry when it is a string."""
    key = content(entry.key)
    return key.value if isinstance(key, Scalar) and isinstance(key.value, str) and not entry.merges else None


def nodes(tree: Tree) -> abc.Iterator[Node]:
    """Walk all nodes in the order of the text, keys included, aliases not followed."""
    stack: list[Node] = list(reversed(tree.documents))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Sequence):
            stack.extend(reversed(node.items))
        elif isinstance(node, Mapping):
            for entry in reversed(node.entries):
                stack += (entry.value, entry.key)


def sequence(span: Span, outer: Span, items: tuple[Node, ...], *, flow: bool, plain: bool = True) -> Sequence:
    """Build a list with its value, UNKNOWN when an item is."""
    known = plain and not any(item.value is UNKNOWN for item in items)
    value = [item.value for item in items] if known else UNKNOWN
    return Sequence(span, outer, items, flow, value, 1 + sum(item.weight for item in items))


def mapping(
    span: Span,
    outer: Span,
    entries: tuple[Entry, ...],
    merged: abc.Mapping[Any, Field],
    *,
    flow: bool,
    open_: bool = False,
    plain: bool = True,
) -> Mapping:
    """Build a mapping with its fields and its value; `merged` are the fields that its `<<` bring in.

    The value is UNKNOWN when a part is, or when a key cannot be one in Python.
    """
    fields: dict[Any, Field] = {key: Field(field.entry, own=False) for key, field in merged.items()}
    known = plain and not open_
    for entry in entries:
        if entry.merges:
            continue
        key = entry.key.value
        try:
            fields[key] = Field(entry)
        except TypeError:
            known = False
        if key is UNKNOWN:
            del fields[key]
            known = False
    weight = 1 + sum(field.entry.key.weight + field.entry.value.weight for field in fields.values())
    known = known and not any(field.entry.value.value is UNKNOWN for field in fields.values())
    value = {key: field.entry.value.value for key, field in fields.items()} if known else UNKNOWN
    return Mapping(span, outer, entries, fields, flow, value, weight, open_, plain)


class Offsets:
    """Turns indices of characters into offsets of UTF-8 bytes."""

    def __init__(self, text: str) -> None:
        wide = list(_WIDE.finditer(text))
        self._after = [match.end() for match in wide]
        self._extra = [0, *accumulate(len(match.group().encode()) - 1 for match in wide)]

    def __call__(self, index: int) -> int:
        """Give the byte at which a character starts."""
        return index + self._extra[bisect_left(self._after, index + 1)]


_WIDE = re.compile(r"[^\x00-\x7f]")
