"""Turning operations into edits of a Python call: the microscope.

LibCST parses the one call, so that commas, comments and the layout of its arguments are known exactly; every edit is a
byte span of the file, and what is not named by an operation is not touched.
"""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import libcst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from adalint.fixes.item_edits import cuts_of
from adalint.fixes.operations import Drop, Note, Operation, Remove, RemoveEarlier, Rename, Set, Swap, Unplaceable
from adalint.source import Edit, Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adalint.site import Site


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call or entry of a dict: its bytes, its word's, its value's, its comma, its comments.

    `name` is None for what is no keyword or quoted word (`**rest`). The comments are those in the gap that follows.
    """

    name: str | None
    span: Span
    key: Span
    value: Span
    comma: Span | None
    comments: tuple[Span, ...]
    holds_comment: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a call or a dict literal.

    `inside` is what stands between its brackets, `opening` the comments before the first argument. `quote` is how a
    dict writes its words, empty for a call.
    """

    source: Source
    inside: Span
    arguments: tuple[Argument, ...]
    opening: tuple[Span, ...]
    quote: str = ""

    def find(self, name: str) -> Argument:
        """Find an argument by its name.

        Raises:
            Unplaceable: it is not written here, or more than once.
        """
        found = [argument for argument in self.arguments if argument.name == name]
        if len(found) != 1:
            raise Unplaceable(f"{name} is written {'twice' if found else 'elsewhere'}")
        return found[0]

    def spell(self, name: str, value: str) -> str:
        """Write a new argument."""
        return f"{self.quote}{name}{self.quote}: {value}" if self.quote else f"{name}={value}"


def place(site: Site, operations: Sequence[Operation]) -> tuple[Edit, ...]:
    """Turn operations into edits of the call, or of the dict literals that feed it.

    Raises:
        Unplaceable: an operation cannot be placed exactly; the message says why.
    """
    homes = _Homes(site)
    names: dict[str, str] = {}
    edits: list[Edit] = []
    for operation in operations:
        match operation:
            case Rename(field=name, to=to):
                edits.append(Edit(homes.of(name).find(name).key, to))
                names[to] = name
            case Set(field=name, text=text, after=after):
                written = names.get(name, name)
                if written in homes.values:
                    replaced = homes.of(written).find(written)
                    if replaced.holds_comment:
                        raise Unplaceable(f"a comment stands inside the value of {written}")
                    edits.append(Edit(replaced.value, text))
                else:
                    anchor = names.get(after or "", after or "")
                    home = homes.near(anchor)
                    edits.append(insert_argument(home, home.spell(name, text), anchor))
            case Remove(field=name):
                edits.append(_remove(homes.of(name), homes.of(name).find(name)))
            case RemoveEarlier(field=name):
                raise Unplaceable(f"Python takes {name} only once")
            case Drop(field=name, items=items):
                value = homes.of(name).find(name).value
                edits += (Edit(span, "") for span in _cuts_of_items(site.source, value, items))
            case Swap(first=first, second=second):
                one, other = homes.of(first).find(first).value, homes.of(second).find(second).value
                edits += (Edit(one, site.source.slice(other)), Edit(other, site.source.slice(one)))
            case Note(field=name, text=text):
                written = names.get(name, name)
                edits.append(_note(homes.of(written), homes.of(written).find(written), text))
    return tuple(sorted(edits))


def _cuts_of_items(source: Source, value: Span, items: Sequence[str]) -> list[Span]:
    """Give the bytes to delete from a list so that these strings go, and the others stay as they were."""
    text = Source(source.path, source.kind, source.content[value.start : value.stop])
    try:
        display = ast.parse(text.text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unplaceable("the list cannot be read on its own") from None
    if not isinstance(display, ast.List | ast.Set | ast.Tuple):
        raise Unplaceable("the list is not written in this place")
    gone = [isinstance(part, ast.Constant) and part.value in items for part in display.elts]
    if isinstance(display, ast.Tuple) and gone.count(False) < 2:
        raise Unplaceable("a tuple of one needs a comma of its own")
    spans = [
        Span(
            text.offset_at(part.lineno, part.col_offset) + value.start,
            text.offset_at(part.end_lineno or part.lineno, part.end_col_offset or 0) + value.start,
        )
        for part in display.elts
    ]
    return cuts_of(source, value, spans, gone)


class _Homes:
    """The calls and dict literals in which the fields of one Site are written."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.values = {site.key_of(name): value for name, value in site.values.items()}
        self._layouts: dict[Span, Layout] = {}

    def of(self, name: str) -> Layout:
        value = self.values.get(name)
        if value is None:
            raise Unplaceable(f"{name} is not written here")
        if value.shared or value.home is None:
            row = self.site.source.position(value.span.start).row
            raise Unplaceable(f"{name} comes from line {row}, which may feed other places too")
        return self._read(value.home)

    def near(self, anchor: str) -> Layout:
        """Find where a new field goes: beside its anchor, else beside the last field, else into the call."""
        homes = [value.home for value in self.site.values.values() if value.home is not None and not value.shared]
        beside = self.values.get(anchor)
        if beside is not None and beside.home is not None and not beside.shared:
            return self._read(beside.home)
        return self._read(self.site.span if self.site.span in homes or not homes else homes[-1])

    def _read(self, span: Span) -> Layout:
        if span not in self._layouts:
            self._layouts[span] = read_layout(self.site.source, span)
        return self._layouts[span]


def read_layout(source: Source, span: Span) -> Layout:
    """Read the layout of the call or dict literal that spans these bytes.

    Raises:
        Unplaceable: LibCST does not read it as one of these.
    """
    try:
        wrapper = MetadataWrapper(libcst.parse_module(source.slice(span)), unsafe_skip_copy=True)
        positions = wrapper.resolve(ByteSpanPositionProvider)
    except (libcst.ParserSyntaxError, RecursionError):
        raise Unplaceable("the call cannot be read on its own") from None
    node = _only_expression(wrapper.module)

    def place_of(part: libcst.CSTNode) -> Span:
        position = positions[part]
        return Span(span.start + position.start, span.start + position.start + position.length)

    def comments_of(part: libcst.CSTNode) -> tuple[Span, ...]:
        if isinstance(part, libcst.Comment):
            return (place_of(part),)
        return tuple(comment for child in part.children for comment in comments_of(child))

    def argument(
        part: libcst.Arg | libcst.BaseDictElement, name: str | None, key: Span, gap: Sequence[libcst.CSTNode]
    ) -> Argument:
        comma = part.comma if isinstance(part.comma, libcst.Comma) else None
        value = _with_parentheses(part.value, place_of)
        gaps = [*gap] if comma is None else [comma.whitespace_before, comma.whitespace_after, *gap]
        return Argument(
            name=name,
            span=Span(min(place_of(part).start, key.start), value.stop),
            key=key,
            value=value,
            comma=None if comma is None else _just_the_comma(source, place_of(comma), value.stop),
            comments=tuple(sorted(comment for one in gaps for comment in comments_of(one))),
            holds_comment=bool(comments_of(part.value)),
        )

    if isinstance(node, libcst.Call):
        arguments = []
        for arg in node.args:
            start = place_of(arg).start
            name = None if arg.keyword is None else arg.keyword.value
            key = Span(start, start + len((name or "").encode()))
            arguments.append(argument(arg, name, key, [arg.whitespace_after_arg]))
        opened = source.content.index(b"(", place_of(node.func).stop) + 1
        return Layout(source, Span(opened, span.stop - 1), tuple(arguments), comments_of(node.whitespace_before_args))

    entries = []
    quote = '"'
    for index, element in enumerate(node.elements):
        gap = [node.rbrace.whitespace_before] if index == len(node.elements) - 1 else []
        word, key = None, Span(place_of(element).start, place_of(element).start)
        if isinstance(element, libcst.DictElement) and isinstance(element.key, libcst.SimpleString):
            whole = _with_parentheses(element.key, place_of)
            quote = element.key.quote
            opened = whole.start + len(element.key.prefix) + len(quote)
            word, key = str(element.key.evaluated_value), Span(opened, whole.stop - len(quote))
        entry = argument(element, word, key, gap)
        if word is not None:
            entry = replace(entry, span=Span(place_of(element).start, entry.value.stop))
        entries.append(entry)
    return Layout(
        source, Span(span.start + 1, span.stop - 1), tuple(entries), comments_of(node.lbrace.whitespace_after), quote
    )


def _only_expression(module: libcst.Module) -> libcst.Call | libcst.Dict:
    if len(module.body) == 1 and isinstance(line := module.body[0], libcst.SimpleStatementLine):
        match list(line.body):
            case [libcst.Expr(value=libcst.Call() | libcst.Dict() as node)]:
                return node
    raise Unplaceable("the call cannot be read on its own")


def _with_parentheses(node: libcst.BaseExpression, place_of: Callable[[libcst.CSTNode], Span]) -> Span:
    """Give a value's span with its own parentheses, which its position in LibCST leaves out."""
    parts = [node, *getattr(node, "lpar", ()), *getattr(node, "rpar", ())]
    spans = [place_of(part) for part in parts]
    return Span(min(span.start for span in spans), max(span.stop for span in spans))


def _just_the_comma(source: Source, span: Span, after: int) -> Span:
    start = source.content.index(b",", max(span.start, after))
    return Span(start, start + 1)


def insert_argument(call: Layout, text: str, after: str) -> Edit:
    """Add an argument behind another one, on a line of its own where the others stand so."""
    source = call.source
    anchor = next((argument for argument in call.arguments if argument.name == after), None)
    if anchor is None:
        named = [argument for argument in call.arguments if argument.name is not None]
        anchor = named[-1] if named else (call.arguments[-1] if call.arguments else None)
    if anchor is None:
        return Edit(Span(call.inside.start, call.inside.start), text)
    if not _alone_on_its_lines(call, anchor):
        return Edit(Span(anchor.span.stop, anchor.span.stop), f", {text}")
    line = source.line_span(source.row_of(anchor.span.start))
    indent = source.slice(Span(line.start, anchor.span.start))
    end = source.line_span(source.row_of(anchor.span.stop)).stop
    if anchor.comma is not None:
        return Edit(Span(end, end), f"{source.newline}{indent}{text},")
    if any(comment.start < end for comment in anchor.comments):
        raise Unplaceable("a comment stands where the comma would go")
    return Edit(Span(anchor.span.stop, anchor.span.stop), f",{source.newline}{indent}{text}")


def _alone_on_its_lines(call: Layout, argument: Argument) -> bool:
    """Tell whether nothing but the argument, its comma and its comment stands on its lines."""
    source = call.source
    line = source.line_span(source.row_of(argument.span.start))
    if source.slice(Span(line.start, argument.span.start)).strip():
        return False
    end = source.line_span(source.row_of(argument.span.stop)).stop
    stop = argument.comma.stop if argument.comma else argument.span.stop
    if source.row_of(stop) != source.row_of(argument.span.stop):
        return False
    rest = source.slice(Span(stop, end)).strip()
    return not rest or rest.startswith("#")


def _remove(call: Layout, argument: Argument) -> Edit:
    """Take an argument away with its comma and with the comments that belong to it, and nothing else."""
    source = call.source
    index = call.arguments.index(argument)
    previous = call.arguments[index - 1] if index else None
    following = call.arguments[index + 1] if index + 1 < len(call.arguments) else None
    stop = argument.comma.stop if argument.comma else argument.span.stop
    if _alone_on_its_lines(call, argument):
        return Edit(_whole_lines(call, argument, previous), "")
    if following is not None and source.row_of(following.span.start) == source.row_of(stop):
        return Edit(Span(argument.span.start, following.span.start), "")
    trailing = [comment for comment in argument.comments if source.row_of(comment.start) == source.row_of(stop)]
    if previous is not None and source.row_of(previous.span.stop) == source.row_of(argument.span.start):
        if argument.comma is not None and previous.comma is not None:
            return Edit(Span(previous.comma.stop, stop), "")
        return Edit(Span(previous.span.stop, stop), "")
    if previous is not None and not argument.comma and not previous.comments:
        return Edit(Span(previous.span.stop, stop), "")
    if following is not None and not argument.comments:
        return Edit(Span(argument.span.start, following.span.start), "")
    return Edit(Span(argument.span.start, trailing[-1].stop if trailing else stop), "")


def _whole_lines(call: Layout, argument: Argument, previous: Argument | None) -> Span:
    """Cover the lines of an argument, with the comment lines directly above it."""
    source = call.source
    row = source.row_of(argument.span.start)
    above = {source.row_of(comment.start) for comment in (previous.comments if previous else call.opening)}
    floor = source.row_of(previous.span.stop if previous else call.inside.start)
    while row - 1 in above and row - 1 > floor:
        row -= 1
    start = source.line_starts[row - 1]
    last_row = source.row_of(argument.span.stop)
    stop = source.line_starts[last_row] if last_row < len(source.line_starts) else len(source.content)
    return Span(start, stop)


def _note(call: Layout, argument: Argument, text: str) -> Edit:
    """Put a comment at the end of the line on which an argument ends."""
    source = call.source
    row = source.row_of(argument.span.stop)
    if row not in rows_that_may_end_in_a_comment(source):
        raise Unplaceable("its line ends inside a string or with a backslash, where no comment can stand")
    end = source.line_span(row).stop
    return Edit(Span(end, end), f"  # {' '.join(text.split())}")


@lru_cache(maxsize=4)
def rows_that_may_end_in_a_comment(source: Source) -> frozenset[int]:
    """Find the rows whose end lies between two tokens.

    Raises:
        Unplaceable: the file cannot be split into tokens.
    """
    lines = [
        source.content[start:stop].decode()
        for start, stop in zip(source.line_starts, [*source.line_starts[1:], len(source.content)], strict=True)
    ]
    # `tokenize` takes LF only for the end of a line.
    unified = "".join(line.rstrip("\r\n") + "\n" if line[-1:] in ("\r", "\n") else line for line in lines)
    ends = (tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT)
    try:
        return frozenset(
            token.start[0] for token in tokenize.generate_tokens(io.StringIO(unified).readline) if token.type in ends
        )
    except (tokenize.TokenError, SyntaxError):
        raise Unplaceable("the file cannot be split into tokens") from None
