"""One text: its bytes, how they were encoded, and what a position in it means.

Everything inside adalint counts in bytes of UTF-8 without a byte-order mark. Rows, columns and UTF-16 units exist only
at the border, and are made here.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import tokenize
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NEWLINE = re.compile(rb"\r\n|\n|\r")


class Kind(StrEnum):
    """What a text is written in."""

    PYTHON = "python"
    JSON = "json"
    YAML = "yaml"
    NOTEBOOK = "notebook"
    """A host: its code cells are one Python text."""
    SHELL = "shell"
    """Scripts, and what holds command lines: Makefiles and Dockerfiles."""
    MARKDOWN = "markdown"
    """A host: each of its fenced blocks is a text of its own."""


KIND_OF_SUFFIX = {
    ".py": Kind.PYTHON,
    ".pyi": Kind.PYTHON,
    ".pyw": Kind.PYTHON,
    ".json": Kind.JSON,
    ".yaml": Kind.YAML,
    ".yml": Kind.YAML,
    ".ipynb": Kind.NOTEBOOK,
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".qmd": Kind.MARKDOWN,
    ".rmd": Kind.MARKDOWN,
}

SHELL_SUFFIXES = (".sh", ".bash", ".slurm", ".sbatch", ".mk", ".dockerfile")
SHELL_NAMES = ("makefile", "dockerfile", "containerfile")
"""What the names of files hold that have command lines in them and no suffix: `Makefile`, `Dockerfile.gpu`."""


def kind_of(path: str) -> Kind | None:
    """Tell the kind of a file by its name; None when adalint does not read such files."""
    suffix = os.path.splitext(path)[1].lower()
    kind = KIND_OF_SUFFIX.get(suffix)
    return Kind.SHELL if kind is None and _is_shell(path, suffix) else kind


def _is_shell(path: str, suffix: str) -> bool:
    if suffix in SHELL_SUFFIXES:
        return True
    name = os.path.basename(path).lower()
    return name in {"makefile", "gnumakefile"} or name.split(".", 1)[0] in {"dockerfile", "containerfile"}


class SourceError(Exception):
    """A text that cannot be read or written as it should; the message names the reason and the remedy."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of byte offsets into `Source.content`."""

    start: int
    stop: int

    def contains(self, other: Span) -> bool:
        """Tell whether `other` lies wholly inside."""
        return self.start <= other.start and other.stop <= self.stop


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the bytes of `span` by `text`; an empty span inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place as people count it: row and column from 1, columns in characters.

    In a notebook, rows count within a cell, and cells from 1 among all cells.
    """

    row: int
    column: int
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the file was encoded: a Python codec and the byte-order mark that stood in front."""

    codec: str = "utf-8"
    mark: bytes = b""


@dataclass(frozen=True)
class Source:
    """One text of one file.

    `content` is UTF-8 without a byte-order mark, with the newlines of the file; `encoding` is how to write it back.
    """

    path: str
    kind: Kind
    content: bytes = field(repr=False)
    encoding: Encoding = Encoding()

    @classmethod
    def decode(cls, path: str, kind: Kind, raw: bytes) -> Source:
        """Read the bytes of a file.

        Raises:
            SourceError: the bytes are not text in the encoding that the file claims.
        """
        if kind is Kind.NOTEBOOK:
            from adalint.notebook import read_notebook  # JSON around a text, which few files are

            return read_notebook(cls.decode(path, Kind.JSON, raw))
        encoding = _encoding_of(kind, raw)
        body = raw[len(encoding.mark) :]
        try:
            text = body.decode(encoding.codec)
        except UnicodeDecodeError as error:
            place = len(NEWLINE.findall(body[: error.start])) + 1
            raise SourceError(
                f"not {encoding.codec} text: byte 0x{body[error.start]:02x} on line {place} cannot be decoded; "
                "save the file as UTF-8"
            ) from None
        if "\0" in text:
            row = len(NEWLINE.findall(text[: text.index("\0")].encode())) + 1
            raise SourceError(f"a NUL byte on line {row}: not a text file")
        return cls(path, kind, text.encode(), encoding)

    def encode(self) -> bytes:
        """Give the bytes to write to the file.

        Raises:
            SourceError: the file's own encoding has no way to write a character.
        """
        try:
            return self.encoding.mark + self.text.encode(self.encoding.codec)
        except UnicodeEncodeError as error:
            raise SourceError(
                f"{error.object[error.start]!r} cannot be written in {self.encoding.codec}; save the file as UTF-8"
            ) from None

    @property
    def name(self) -> str:
        """The name of the file, which tells what some files are."""
        return os.path.basename(self.path)

    @cached_property
    def text(self) -> str:
        """The content as a string."""
        return self.content.decode()

    @cached_property
    def line_starts(self) -> Sequence[int]:
        """Byte offset of the first byte of each line; LF, CR LF and a lone CR end a line."""
        return [0, *(match.end() for match in NEWLINE.finditer(self.content))]

    @cached_property
    def newline(self) -> str:
        """The newline that an inserted line gets: the one that the file uses most, LF when it has none."""
        ends = [match.group() for match in NEWLINE.finditer(self.content)]
        return max(("\n", "\r\n", "\r"), key=lambda end: ends.count(end.encode())) if ends else "\n"

    def slice(self, span: Span) -> str:
        """Give the text of a span."""
        return self.content[span.start : span.stop].decode()

    def row_of(self, offset: int) -> int:
        """Tell the 1-based row of a byte offset."""
        return bisect_right(self.line_starts, offset)

    def line_span(self, row: int) -> Span:
        """Give the span of a 1-based row, without its newline."""
        start = self.line_starts[row - 1]
        stop = self.line_starts[row] if row < len(self.line_starts) else len(self.content)
        return Span(start, start + len(self.content[start:stop].rstrip(b"\r\n")))

    def position(self, offset: int) -> Position:
        """Turn a byte offset into row and column, both from 1, columns in characters."""
        row = self.row_of(offset)
        return Position(row, len(self.content[self.line_starts[row - 1] : offset].decode(errors="replace")) + 1)

    def utf16_position(self, offset: int) -> tuple[int, int]:
        """Turn a byte offset into line and character as LSP counts: from 0, in UTF-16 units."""
        row = self.row_of(offset)
        before = self.content[self.line_starts[row - 1] : offset].decode(errors="replace")
        return row - 1, len(before.encode("utf-16-le")) // 2

    def offset_at(self, row: int, column_bytes: int) -> int:
        """Turn a 1-based row and a 0-based column in bytes, as `ast` gives them, into an offset."""
        return self.line_starts[row - 1] + column_bytes

    def apply(self, edits: Iterable[Edit]) -> Source:
        """Give the source with the edits made; bytes outside their spans are the same.

        Raises:
            ValueError: two edits touch the same bytes.
        """
        pieces: list[bytes] = []
        end = 0
        for edit in sorted(edits):
            if edit.span.start < end:
                raise ValueError(f"edits overlap at byte {edit.span.start} of {self.path}")
            pieces += (self.content[end : edit.span.start], edit.text.encode())
            end = edit.span.stop
        pieces.append(self.content[end:])
        return replace(self, content=b"".join(pieces))


_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _encoding_of(kind: Kind, raw: bytes) -> Encoding:
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            if kind is Kind.PYTHON and mark != codecs.BOM_UTF8:
                raise SourceError(f"Python cannot read {codec}; save the file as UTF-8")
            return Encoding(codec, mark)
    if kind is not Kind.PYTHON:
        return Encoding()
    try:
        codec, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    except SyntaxError as error:
        if "unknown encoding" not in str(error):
            return Encoding()  # no line tells one, and the text is no UTF-8: decoding it says where
        raise SourceError(f"{error.msg or error}; save the file as UTF-8") from None
    return Encoding(codec)
