"""Reading JSON with positions: what Python's `json.load` accepts, duplicates kept, without recursion."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from adalint.readers.errors import ReadError
from adalint.readers.tree import MAX_DEPTH, Entry, Node, Offsets, Scalar, Tree, mapping, sequence
from adalint.source import Span

if TYPE_CHECKING:
    from adalint.source import Source

_BLANK: Final = re.compile(r"[ \t\n\r]*")
STRING: Final = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"')
"""A string with its quotes."""

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD: Final = re.compile(r"true|false|null|NaN|-?Infinity")
_WORDS: Final = {
    "true": True,
    "false": False,
    "null": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


def read_json(source: Source) -> Tree:
    """Read the one JSON value of a text.

    Raises:
        ReadError: the text is not JSON, or nested deeper than Python can read.
    """
    return Tree((_Reader(source.text).read(),))


class _Open:
    """A bracket that is not closed yet, and what it holds so far."""

    __slots__ = ("close", "entries", "items", "key", "start")

    def __init__(self, start: int, close: str) -> None:
        self.start = start
        self.close = close
        self.items: list[Node] = []
        self.entries: list[Entry] = []
        self.key: Scalar | None = None

    def add(self, node: Node) -> None:
        if self.key is None:
            self.items.append(node)
        else:
            self.entries.append(Entry(self.key, node))
            self.key = None


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = Offsets(text)
        self.at = 0

    def read(self) -> Node:
        stack: list[_Open] = []
        while True:
            if stack and stack[-1].close == "}":
                stack[-1].key = self.key()
            node: Node | None = self.open(stack) or self.scalar()
            while node is not None:
                if not stack:
                    return self.end(node)
                stack[-1].add(node)
                node = self.close(stack, after_value=True)

    def next(self) -> str:
        """Skip blanks; give the next character, empty at the end."""
        blank = _BLANK.match(self.text, self.at)
        self.at = self.at if blank is None else blank.end()
        return self.text[self.at : self.at + 1]

    def open(self, stack: list[_Open]) -> Node | None:
        """Enter as many brackets as stand here; give a node when the innermost is empty, else None."""
        while (character := self.next()) in {"[", "{"}:
            if len(stack) >= MAX_DEPTH:
                self.fail(f"nested more than {MAX_DEPTH:,} levels deep")
            stack.append(_Open(self.at, "]" if character == "[" else "}"))
            self.at += 1
            if self.next() == stack[-1].close:
                return self.close(stack, after_value=False)
            if character == "{":
                stack[-1].key = self.key()
        return None

    def close(self, stack: list[_Open], *, after_value: bool) -> Node | None:
        """Leave the innermost bracket if it ends here; give its node, or None after a comma."""
        top = stack[-1]
        character = self.next()
        if character == "," and after_value:
            self.at += 1
            if self.next() == top.close:
                self.fail(f"a comma before `{top.close}`: JSON has no trailing commas")
            return None
        if character != top.close:
            self.fail(f"expected `,` or `{top.close}`")
        self.at += 1
        stack.pop()
        span = self.span(top.start)
        if top.close == "]":
            return sequence(span, span, tuple(top.items), flow=True)
        return mapping(span, span, tuple(top.entries), {}, flow=True)

    def key(self) -> Scalar:
        if self.next() != '"':
            self.fail("expected a key in double quotes")
        key = self.string()
        if self.next() != ":":
            self.fail("expected `:` after a key")
        self.at += 1
        return key

    def scalar(self) -> Scalar:
        character = self.next()
        if character == '"':
            return self.string()
        start = self.at
        value: Any
        if word := _WORD.match(self.text, start):
            self.at = word.end()
            value = _WORDS[word.group()]
        elif number := _NUMBER.match(self.text, start):
            self.at = number.end()
            value = self.number(number)
        else:
            self.fail("expected a value")
        span = self.span(start)
        return Scalar(span, span, value)

    def number(self, number: re.Match[str]) -> int | float:
        if number.group(1) or number.group(2):
            return float(number.group())
        try:
            return int(number.group())
        except ValueError:
            self.at = number.start()
            self.fail(f"a whole number of {len(number.group()):,} digits, more than Python reads")

    def string(self) -> Scalar:
        start = self.at
        match = STRING.match(self.text, start)
        if match is None:
            self.fail("a string that is not closed on its line, or holds a control character")
        self.at = match.end()
        written = match.group()
        value = written[1:-1]
        if "\\" in written:
            try:
                value = json.loads(written)
            except ValueError as error:
                self.at = start + getattr(error, "pos", 0)
                self.fail("an escape that JSON does not have")
        span = self.span(start)
        return Scalar(span, span, value, '"')

    def end(self, node: Node) -> Node:
        if self.next():
            self.fail("more text after the end of the JSON value (JSON Lines hold one value per line; this reads one)")
        return node

    def span(self, start: int) -> Span:
        return Span(self.offset(start), self.offset(self.at))

    def fail(self, message: str) -> NoReturn:
        """Stop at the present character, naming what people write by mistake."""
        self.next()
        rest = self.text[self.at : self.at + 2]
        if not rest:
            message += ", but the text ends here"
        elif rest in {"//", "/*"} or rest[0] == "#":
            message = "JSON has no comments"
        elif rest[0] == "'":
            message = "JSON strings stand in double quotes"
        elif rest[0] == "\ufeff":
            message = "a byte-order mark within the text"
        raise ReadError(message, self.offset(self.at))
