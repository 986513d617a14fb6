"""Reading YAML with positions, exactly as PyYAML's SafeLoader resolves it.

The tree is built from the event stream of libyaml, never composed: nesting costs no stack, an alias stays an alias with
its own place, and marks, which count characters, become bytes of `Source.content`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

import yaml

from adalint.readers.errors import ReadError, TemplateError
from adalint.readers.tree import (
    MAX_DEPTH,
    Alias,
    Anchor,
    Content,
    Entry,
    Field,
    Mapping,
    Node,
    Offsets,
    Scalar,
    Sequence,
    Tree,
    content,
    mapping,
    nodes,
    sequence,
)
from adalint.source import Span
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections import abc

    from adalint.source import Source

MAX_MERGED: Final = 100_000
"""Merged entries of one text: `<<` multiplies, too."""

_TAG: Final = "tag:yaml.org,2002:"
_PROPERTY: Final = re.compile(r"&[\w-]+|!<[^>]*>|![^\s,\[\]{}]*")
_SEPARATION: Final = re.compile(r"(?:[ \t\r\n\x85\u2028\u2029]+(?:#[^\r\n\x85\u2028\u2029]*)?)*")
_BLANKS: Final = " \t\r\n\x85\u2028\u2029"
_TEMPLATE: Final = re.compile(r"\{\{|\{%")


def read_yaml(source: Source, aliases: abc.Iterable[Alias] = ()) -> Tree:
    """Read all documents of a text; `aliases` are those in it whose anchors stand in another text before it.

    Raises:
        TemplateError: `{{` or `{%` stand where YAML's own syntax would be.
        ReadError: the text is not YAML, nested too deep, or merges without end.
    """
    try:
        reader = _Reader(source.text, aliases)
        tree = reader.read()
    except ReadError as error:
        if _looks_templated(source.text):
            raise _templated(error.offset) from None
        raise
    _refuse_template(source, tree)
    return tree


def _templated(offset: int) -> TemplateError:
    return TemplateError("a template: `{{` or `{%` is to be filled in before this is YAML", offset)


def _looks_templated(text: str) -> bool:
    """Look for the marks of a template in front of any comment of a line; the text is no YAML, so no more is known."""
    return any(
        _TEMPLATE.search(line.split(" #", 1)[0]) for line in text.splitlines() if not line.lstrip().startswith("#")
    )


def _refuse_template(source: Source, tree: Tree) -> None:
    """Refuse marks of a template in plain scalars or in the syntax itself; in quotes they are text."""
    if _TEMPLATE.search(source.text) is None:
        return
    covered = [
        (node.outer, isinstance(node, Scalar) and not node.style) for node in nodes(tree) if isinstance(node, Scalar)
    ]
    for span, plain in covered:
        if plain and _TEMPLATE.search(source.slice(span)):
            raise _templated(span.start)
    for gap in gaps(source, [span for span, _ in covered]):
        code = re.sub(rb"#[^\r\n]*", b"", source.content[gap.start : gap.stop])
        if b"{{" in code or b"{%" in code:
            raise _templated(gap.start)


def gaps(source: Source, spans: abc.Sequence[Span]) -> abc.Iterator[Span]:
    """Give what lies between spans: indicators, blanks and comments."""
    end = 0
    for span in sorted(spans):
        if span.start > end:
            yield Span(end, span.start)
        end = max(end, span.stop)
    yield Span(end, len(source.content))


class _Open:
    """A collection that is not closed yet: its opening event, where it starts, and what it holds so far."""

    __slots__ = ("anchor", "event", "nodes", "outer", "start")

    def __init__(self, event: yaml.CollectionStartEvent, outer: int, start: int, anchor: Anchor | None) -> None:
        self.event = event
        self.outer = outer
        self.start = start
        self.anchor = anchor
        self.nodes: list[Node] = []


class _Reader:
    def __init__(self, text: str, aliases: abc.Iterable[Alias]) -> None:
        # libyaml swallows a mark at the start of a string, and does not count it.
        self.skipped = len(text) - len(text.removeprefix("\ufeff"))
        self.text = text
        self.offset = Offsets(text)
        self.loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.anchors: list[Anchor] = []
        self.before = {alias.name: Anchor(alias.name, node=alias.target) for alias in aliases}
        self.known: dict[str, Anchor] = {}
        self.merge_keys: set[Node] = set()
        self.merged = 0

    def read(self) -> Tree:
        documents: list[Node] = []
        stack: list[_Open] = []
        try:
            self.loader = self.loader(self.text[self.skipped :])
            while self.loader.check_event():
                event = self.loader.get_event()
                if isinstance(event, yaml.DocumentStartEvent):
                    self.known = dict(self.before)
                node = self.node(event, stack)
                if node is not None:
                    (stack[-1].nodes if stack else documents).append(node)
        except yaml.YAMLError as error:
            self.refuse(error)
        except (ValueError, OverflowError) as error:
            raise ReadError(str(error), 0) from None
        return Tree(tuple(documents), tuple(self.anchors))

    def node(self, event: Any, stack: list[_Open]) -> Node | None:
        """Turn an event into a finished node; None while there is none."""
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, stack)
        if isinstance(event, yaml.CollectionStartEvent):
            if len(stack) >= MAX_DEPTH:
                raise ReadError(f"nested more than {MAX_DEPTH:,} levels deep", self.byte(event.start_mark))
            outer, start = self.starts(event)
            stack.append(_Open(event, outer, start, self.anchor(event)))
        elif isinstance(event, yaml.CollectionEndEvent):
            return self.collection(stack.pop(), event)
        return None

    def character(self, mark: Any) -> int:
        return int(mark.index) + self.skipped

    def byte(self, mark: Any) -> int:
        return self.offset(self.character(mark))

    def starts(self, event: Any) -> tuple[int, int]:
        """Give the characters at which a node starts, with its anchor and tag and without."""
        outer = self.character(event.start_mark)
        if event.anchor is None and event.tag is None:
            return outer, outer
        at = outer
        is_scalar = isinstance(event, yaml.ScalarEvent)
        stop = self.character(event.end_mark) if is_scalar else len(self.text)
        while property_ := _PROPERTY.match(self.text, at, stop):
            at = property_.end()
            blank = _SEPARATION.match(self.text, at, stop)
            at = at if blank is None else blank.end()
        return outer, at

    def anchor(self, event: Any) -> Anchor | None:
        if event.anchor is None:
            return None
        anchor = Anchor(event.anchor)
        self.known[event.anchor] = anchor
        self.anchors.append(anchor)
        return anchor

    def scalar(self, event: Any) -> Scalar:
        outer, start = self.starts(event)
        stop = self.character(event.end_mark)
        if event.style in {"|", ">"}:
            # The mark lies behind the blank lines that follow.
            stop = start + len(self.text[start:stop].rstrip())
        if start == stop == outer:
            # An absent value is marked where the next token starts, which may be lines below.
            while start and self.text[start - 1] in _BLANKS:
                start -= 1
            outer = stop = start
        span = Span(self.offset(start), self.offset(max(start, stop)))
        whole = Span(self.offset(outer), span.stop)
        tag = event.tag
        if tag in {None, "!"}:
            tag = self.loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        node = Scalar(span, whole, self.value(tag, event.value, whole), event.style or "")
        if tag == _TAG + "merge":
            self.merge_keys.add(node)
        anchor = self.anchor(event)
        if anchor is not None:
            anchor.node, anchor.outer = node, whole
        return node

    def value(self, tag: str, text: str, span: Span) -> Any:
        """Give a scalar the value that SafeLoader gives it; UNKNOWN under a tag that it does not know."""
        if tag in {_TAG + "str", _TAG + "value"}:
            return text
        construct = self.loader.yaml_constructors.get(tag)
        if construct is None:
            return UNKNOWN
        try:
            return construct(self.loader, yaml.ScalarNode(tag, text))
        except ValueError as error:
            if "digits" in str(error):
                raise ReadError(f"a number of {len(text):,} digits, more than Python reads", span.start) from None
            return UNKNOWN
        except (yaml.YAMLError, LookupError, AttributeError, TypeError, ArithmeticError):
            return UNKNOWN

    def alias(self, event: Any, stack: list[_Open]) -> Alias:
        span = Span(self.byte(event.start_mark), self.byte(event.end_mark))
        anchor = self.known.get(event.anchor)
        if anchor is None:
            raise ReadError(f"the alias `*{event.anchor}` has no anchor before it", span.start)
        if self.is_merged(stack):
            anchor.merged += 1
        else:
            anchor.used += 1
        return Alias(span, event.anchor, anchor.node)

    def is_merged(self, stack: list[_Open]) -> bool:
        """Tell whether the next node of the innermost collection is merged: `<<: *a` or `<<: [*a, *b]`."""
        if len(stack) > 1 and isinstance(stack[-1].event, yaml.SequenceStartEvent):
            stack = stack[:-1]
        if not stack or not isinstance(stack[-1].event, yaml.MappingStartEvent) or len(stack[-1].nodes) % 2 == 0:
            return False
        return stack[-1].nodes[-1] in self.merge_keys

    def collection(self, opened: _Open, event: Any) -> Sequence | Mapping:
        flow = bool(opened.event.flow_style)
        start = self.offset(opened.start)
        stop = self.byte(event.end_mark)
        if not flow or not event.end_mark.index > event.start_mark.index:
            # A block, or a pair in a list, ends where its last node does; the mark lies behind blanks and comments.
            stop = max((node.span.stop for node in opened.nodes), default=start)
        span = Span(start, max(start, stop))
        outer = Span(self.offset(opened.outer), span.stop)
        tag = opened.event.tag
        node: Sequence | Mapping
        if isinstance(opened.event, yaml.SequenceStartEvent):
            plain = tag in {None, "!", _TAG + "seq"}
            node = sequence(span, outer, tuple(opened.nodes), flow=flow, plain=plain)
        else:
            node = self.mapping(opened, span, outer, flow=flow, plain=tag in {None, "!", _TAG + "map"})
        if opened.anchor is not None:
            opened.anchor.node, opened.anchor.outer = node, outer
        return node

    def mapping(self, opened: _Open, span: Span, outer: Span, *, flow: bool, plain: bool) -> Mapping:
        pairs = list(zip(opened.nodes[::2], opened.nodes[1::2], strict=True))
        entries = tuple(Entry(key, value, merges=key in self.merge_keys) for key, value in pairs)
        merged: dict[Any, Field] = {}
        open_ = False
        # Of several `<<` in one mapping the first wins since PyYAML 6.0.4, before it the last did.
        for entry in reversed(entries):
            if not entry.merges:
                continue
            for base in _merge_sources(entry.value):
                if not isinstance(base, Mapping):
                    open_ = True
                    continue
                open_ |= base.open
                self.merged += len(base.fields)
                if self.merged > MAX_MERGED:
                    raise ReadError(f"merges bring in more than {MAX_MERGED:,} entries", span.start)
                merged |= base.fields
        return mapping(span, outer, entries, merged, flow=flow, open_=open_, plain=plain)

    def refuse(self, error: yaml.YAMLError) -> NoReturn:
        mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark is not None:
            offset = self.byte(mark)
        else:
            offset = len(self.text[: self.skipped].encode())
            position = getattr(error, "position", 0)
            if isinstance(position, int):
                # libyaml counts bytes here, the Python reader counts characters.
                offset += position if hasattr(yaml, "CSafeLoader") else self.offset(position)
        if "maximum nesting depth" in str(getattr(error, "problem", None)):
            raise ReadError(f"nested more than {MAX_DEPTH:,} levels deep", offset)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        context = getattr(error, "context", None)
        message = f"{context}: {problem}" if context else str(problem)
        if mark is not None and self.text[self.character(mark) :][:1] == "\t":
            message += "; YAML takes no tab here, use spaces"
        raise ReadError(message, min(offset, len(self.text.encode())))


def _merge_sources(node: Node) -> list[Content | None]:
    """List what `<<` brings in, weakest first: of a list, the earlier ones win."""
    found = content(node)
    if isinstance(found, Sequence):
        return [content(item) for item in reversed(found.items)]
    return [found]
