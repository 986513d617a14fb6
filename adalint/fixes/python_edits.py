"""Turning operations into edits of a Python call: the microscope.

LibCST parses the one call, so that commas, comments and the layout of its arguments are known exactly; every edit is a
byte span of the file, and what is not named by an operation is not touched.
"""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from adalint.fixes.operations import Note, Operation, Remove, Rename, Set, Swap, Unplaceable
from adalint.readers.errors import ReadError
from adalint.readers.python_syntax import parse
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from adalint.site import Site
    from adalint.source import Source


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call: its bytes, its value's bytes, its comma, and the comments in the gap that follows."""

    name: str | None
    span: Span
    value: Span
    comma: Span | None
    comments: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """The layout of a call.

    `inside` is what stands between its parentheses, `opening` the comments before the first argument.
    """

    source: Source
    inside: Span
    arguments: tuple[Argument, ...]
    opening: tuple[Span, ...]

    def find(self, name: str) -> Argument:
        """Find a keyword argument.

        Raises:
            Unplaceable: it is not written in this call.
        """
        for argument in self.arguments:
            if argument.name == name:
                return argument
        raise Unplaceable(f"{name} is not written in this call")


def place(site: Site, operations: Sequence[Operation]) -> tuple[Edit, ...]:
    """Turn operations into edits of the call.

    Raises:
        Unplaceable: an operation cannot be placed exactly; the message says why.
    """
    call = read_call(site.source, site.span)
    names: dict[str, str] = {}
    edits: list[Edit] = []
    for operation in operations:
        match operation:
            case Rename(field=name, to=to):
                argument = call.find(name)
                edits.append(Edit(Span(argument.span.start, argument.span.start + len(name.encode())), to))
                names[to] = name
            case Set(field=name, text=text, after=after):
                written = names.get(name, name)
                if any(argument.name == written for argument in call.arguments):
                    edits.append(Edit(call.find(written).value, text))
                else:
                    edits.append(_insert(call, f"{name}={text}", names.get(after or "", after or "")))
            case Remove(field=name):
                edits.append(_remove(call, call.find(name)))
            case Swap(first=first, second=second):
                one, other = call.find(first).value, call.find(second).value
                edits += (Edit(one, call.source.slice(other)), Edit(other, call.source.slice(one)))
            case Note(field=name, text=text):
                edits.append(_note(call, call.find(names.get(name, name)), text))
    return tuple(sorted(edits))


def read_call(source: Source, span: Span) -> Call:
    """Read the layout of the call that spans these bytes.

    Raises:
        Unplaceable: LibCST does not read it as one call.
    """
    text = source.slice(span)
    try:
        wrapper = MetadataWrapper(libcst.parse_module(text), unsafe_skip_copy=True)
        positions = wrapper.resolve(ByteSpanPositionProvider)
    except (libcst.ParserSyntaxError, RecursionError):
        raise Unplaceable("the call cannot be read on its own") from None
    node = _only_call(wrapper.module)

    def place_of(part: libcst.CSTNode) -> Span:
        position = positions[part]
        return Span(span.start + position.start, span.start + position.start + position.length)

    def comments_of(part: libcst.CSTNode) -> tuple[Span, ...]:
        if isinstance(part, libcst.Comment):
            return (place_of(part),)
        return tuple(comment for child in part.children for comment in comments_of(child))

    arguments = []
    for arg in node.args:
        comma = arg.comma if isinstance(arg.comma, libcst.Comma) else None
        outer = place_of(arg)
        value = _with_parentheses(arg.value, place_of)
        gaps = [] if comma is None else [comma.whitespace_before, comma.whitespace_after]
        gaps.append(arg.whitespace_after_arg)
        arguments.append(
            Argument(
                name=None if arg.keyword is None else arg.keyword.value,
                span=Span(outer.start, value.stop),
                value=value,
                comma=None if comma is None else _just_the_comma(source, place_of(comma), value.stop),
                comments=tuple(sorted(comment for gap in gaps for comment in comments_of(gap))),
            )
        )
    opened = place_of(node.func).stop
    opened = source.content.index(b"(", opened) + 1
    return Call(source, Span(opened, span.stop - 1), tuple(arguments), comments_of(node.whitespace_before_args))


def _only_call(module: libcst.Module) -> libcst.Call:
    if len(module.body) == 1 and isinstance(line := module.body[0], libcst.SimpleStatementLine):
        match list(line.body):
            case [libcst.Expr(value=libcst.Call() as node)]:
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


def _insert(call: Call, text: str, after: str) -> Edit:
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


def _alone_on_its_lines(call: Call, argument: Argument) -> bool:
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


def _remove(call: Call, argument: Argument) -> Edit:
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


def _whole_lines(call: Call, argument: Argument, previous: Argument | None) -> Span:
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


def _note(call: Call, argument: Argument, text: str) -> Edit:
    """Put a comment at the end of the line on which an argument ends."""
    source = call.source
    row = source.row_of(argument.span.stop)
    end = source.line_span(row).stop
    comments = comments_by_row(source)
    clean = " ".join(text.split())
    edit = Edit(Span(end, end), f"  # {clean}")
    if row not in comments and not _is_a_comment(source.apply([edit]), row):
        raise Unplaceable("its line ends inside a string or with a backslash, where no comment can stand")
    return edit


def _is_a_comment(source: Source, row: int) -> bool:
    try:
        parse(source)
    except ReadError:
        return False
    return row in comments_by_row(source)


def comments_by_row(source: Source) -> Mapping[int, str]:
    """Find the comments of a Python file by their row.

    Raises:
        Unplaceable: the file cannot be split into tokens.
    """
    lines = [
        source.content[start:stop].decode()
        for start, stop in zip(source.line_starts, [*source.line_starts[1:], len(source.content)], strict=True)
    ]
    unified = "".join(line.rstrip("\r\n") + "\n" if line[-1:] in ("\r", "\n") else line for line in lines)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(unified).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        raise Unplaceable("the file cannot be split into tokens") from None
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
