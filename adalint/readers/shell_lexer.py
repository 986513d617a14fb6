"""Reading one argument byte by byte: its quotes and escapes; where an expansion ends, the tree knows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_parameters import Expander
from adalint.readers.shell_split import GLOB, Part
from adalint.readers.shell_syntax import descendants
from adalint.readers.shell_words import Piece, Quoting
from adalint.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from adalint.readers.shell_text import ShellText
    from adalint.readers.shell_variables import Scope

_EXPANSIONS: Final = frozenset(
    {
        "simple_expansion",
        "expansion",
        "command_substitution",
        "process_substitution",
        "arithmetic_expansion",
    }
)
_BARE_RUN: Final = re.compile(rb"""[^\s\\'"$`|&;<>()]+""")
_DOUBLE_RUN: Final = re.compile(rb'[^\\"$`]+')
_ANSI: Final = re.compile(
    rb"\\(?:x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|c.|.)|[^\\]+", re.DOTALL
)
_ANSI_LETTERS: Final = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_OVERLOOKED: Final = re.compile(rb"\$[A-Za-z0-9_{(]")
"""An expansion that the grammar does not show: it loses one behind a newline and a blank between quotes."""
_TILDE: Final = re.compile(r"(?:^|[=:])~")
_NEWLINES: Final = (b"\\\n", b"\\\r\n")
_FILLED_IN: Final = re.compile(r"\$\{_\}|\$_+")
"""What stands for a text that another program puts in before the shell reads it."""


class Misread(Exception):
    """The tree shows an argument that cannot be one."""


class Lexer:
    """Reads the bytes of one argument; where an expansion ends, the tree knows."""

    def __init__(
        self,
        start: int,
        stop: int,
        nodes: Iterable[Node],
        scope: Scope,
        text: ShellText,
        *,
        assigned: bool = False,
    ) -> None:
        self.text = text
        self.expander = Expander(scope, text, assigned)
        self.content = text.content
        self.at = start
        self.stop = stop
        self.assigned = assigned
        self.run = 0
        self.expansions = {one.start_byte: one for node in nodes for one in _outermost(node)}

    def parts(self) -> Iterator[Part]:
        """Give the parts of the argument in order.

        Raises:
            Misread: the bytes are not one argument.
        """
        first = True
        while self.at < self.stop:
            yield from self._bare(first=first)
            first = False

    def _bare(self, *, first: bool) -> Iterator[Part]:
        content = self.content
        node = self.expansions.get(self.at)
        if node is not None:
            self.at = node.end_byte
            yield from self.expander.expand(node, Quoting.BARE, self.run)
        elif content.startswith(_NEWLINES, self.at):
            self.at += 3 if content[self.at + 1] == 0x0D else 2
        elif content.startswith(b"\\", self.at):
            if self.at + 1 >= self.stop:
                raise Misread
            character = content[self.at + 1 : self.stop].decode(errors="replace")[0]
            yield from self._piece(
                character, self.at, self.at + 1 + len(character.encode()), Quoting.BARE, escaped=True
            )
        elif content.startswith(b"'", self.at):
            end = content.find(b"'", self.at + 1, self.stop)
            if end < 0:
                raise Misread
            self.run += 1
            yield from self._piece(content[self.at + 1 : end].decode(), self.at + 1, end, Quoting.SINGLE)
            self.run += 1
            self.at = end + 1
        elif content.startswith((b"$'", b'$"'), self.at) and not self.text.is_bash:
            raise Misread
        elif content.startswith(b"$'", self.at):
            yield from self._ansi()
        elif content.startswith((b'"', b'$"'), self.at):
            yield from self._double()
        else:
            match = _BARE_RUN.match(content, self.at, self.stop)
            if match is None:
                if content[self.at : self.at + 1] != b"$":
                    raise Misread
                yield from self._piece("$", self.at, self.at + 1, Quoting.BARE)
                return
            run = match[0].decode()
            unclear = (not self.assigned and GLOB.search(run)) or (_TILDE.search(run) and (first or "~" in run[1:]))
            yield from self._piece(UNKNOWN if unclear else run, match.start(), match.end(), Quoting.BARE)

    def _double(self) -> Iterator[Part]:
        content = self.content
        self.run += 1
        self.at = content.index(b'"', self.at) + 1
        empty = True
        while True:
            node = self.expansions.get(self.at)
            if self.at >= self.stop:
                raise Misread
            if node is not None:
                self.at = node.end_byte
                empty = False
                yield from self.expander.expand(node, Quoting.DOUBLE, self.run)
            elif content.startswith(b'"', self.at):
                break
            elif content.startswith(_NEWLINES, self.at):
                self.at += 3 if content[self.at + 1] == 0x0D else 2
            elif content[self.at : self.at + 1] == b"\\" and content[self.at + 1 : self.at + 2] in b'$`"\\':
                character = content[self.at + 1 : self.at + 2].decode()
                yield from self._piece(character, self.at, self.at + 2, Quoting.DOUBLE, escaped=True)
                empty = False
            else:
                match = _DOUBLE_RUN.match(content, self.at, self.stop)
                end = match.end() if match else self.at + 1
                if content[self.at : end] == b"`" or _OVERLOOKED.match(content, self.at):
                    raise Misread
                yield from self._piece(content[self.at : end].decode(), self.at, end, Quoting.DOUBLE)
                empty = False
        if empty:
            yield from self._piece("", self.at, self.at, Quoting.DOUBLE)
        self.at += 1
        self.run += 1

    def _ansi(self) -> Iterator[Part]:
        self.run += 1
        self.at += 2
        empty = True
        while not self.content.startswith(b"'", self.at):
            match = _ANSI.match(self.content, self.at, self.stop)
            if match is None:
                raise Misread
            empty = False
            if match[0][:1] == b"\\":
                yield from self._piece(
                    _ansi_escape(match[0].decode()), self.at, match.end(), Quoting.ANSI, escaped=True
                )
            else:
                end = self.content.find(b"'", self.at, match.end())
                end = match.end() if end < 0 else end
                yield from self._piece(self.content[self.at : end].decode(), self.at, end, Quoting.ANSI)
        if empty:
            yield from self._piece("", self.at, self.at, Quoting.ANSI)
        self.at += 1
        self.run += 1

    def _piece(
        self, text: str | Unknown, start: int, stop: int, quoting: Quoting, *, escaped: bool = False
    ) -> Iterator[Part]:
        """Give a piece, in parts where its bytes are written in several ways in the texts around."""
        self.at = stop
        whole = escaped or isinstance(text, Unknown) or stop == start
        for begin, end in [(start, stop)] if whole else self.text.parts(start, stop):
            span, exact = self.text.out(begin, end)
            said = text if whole else self.content[begin:end].decode()
            if isinstance(said, str) and _FILLED_IN.search(said):
                said = UNKNOWN  # between single quotes, too
            plain = not escaped and self.text.is_plain(begin, end)
            piece = Piece(said, span, quoting, self.run, escaped=not plain, fixed=not exact, barred=self.text.barred)
            yield Part(piece)


def _ansi_escape(written: str) -> str | Unknown:
    letter = written[1:2]
    if letter in _ANSI_LETTERS:
        return _ANSI_LETTERS[letter]
    try:
        if letter in {"x", "u", "U"} and len(written) > 2:
            code = int(written[2:], 16)  # noqa: FURB166
        elif letter.isdigit() and letter < "8":
            code = int(written[1:], 8)
        else:
            return UNKNOWN if letter == "c" else written
        # Above 127, `\x` and `\nnn` are bytes of whatever encoding; a NUL ends the string.
        return chr(code) if 0 < code < 128 or (letter in {"u", "U"} and code >= 128) else UNKNOWN
    except (ValueError, OverflowError):
        return UNKNOWN


def _outermost(node: Node) -> Iterator[Node]:
    end = -1
    for one in descendants(node):
        if one.start_byte >= end and one.type in _EXPANSIONS:
            yield one
            end = one.end_byte
