"""What the editor has open, as it stands there: texts, notebooks, and what a check is made of."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types
from pygls.uris import to_fs_path, uri_scheme

from adalint.lsp.drift import Drift
from adalint.lsp.positions import Text
from adalint.source import Kind, Source, Span, kind_of

if TYPE_CHECKING:
    from adalint.lsp.judging import Judged

KIND_OF_LANGUAGE: Final = {
    "python": Kind.PYTHON,
    "json": Kind.JSON,
    "jsonc": Kind.JSON,
    "yaml": Kind.YAML,
    "markdown": Kind.MARKDOWN,
    "quarto": Kind.MARKDOWN,
    "shellscript": Kind.SHELL,
    "sh": Kind.SHELL,
    "bash": Kind.SHELL,
}
"""The kind of a text that has no file yet, by the name of its language in the protocol."""

BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Part:
    """A document of the editor that holds a part of a text: all of it, or one cell of a notebook.

    `start` is where the part begins in the text that is judged, `lead` how much of the document stands before that.
    """

    uri: str
    version: int | None
    text: Text
    start: int = 0
    lead: int = 0

    @property
    def span(self) -> Span:
        """Its place in the text that is judged."""
        return Span(self.start, self.start + len(self.text.content) - self.lead)

    def range(self, span: Span) -> dict[str, dict[str, int]]:
        """Give the range in the document of a place of the text."""
        shift = self.lead - self.start
        size = len(self.text.content)
        return self.text.range(Span(min(span.start + shift, size), min(span.stop + shift, size)))

    def place(self, span: Span) -> Span:
        """Give the place in the text of a span of the document."""
        shift = self.start - self.lead
        return Span(max(self.start, span.start + shift), max(self.start, span.stop + shift))


@dataclass(frozen=True)
class Snapshot:
    """A text as it was at one moment: what a check is made of, apart from settings.

    `number` counts the changes of the document up to that moment. `places` are bytes of what editors see, which for a
    notebook that is open as JSON is that JSON.
    """

    path: str
    kind: Kind
    raw: bytes
    number: int
    parts: tuple[Part, ...]
    folder: str | None = None
    is_notebook: bool = False

    def part_of(self, uri: str) -> Part | None:
        """Give the part that a document holds."""
        return next((part for part in self.parts if part.uri == uri), None)

    def part_at(self, offset: int) -> Part:
        """Give the part that an offset belongs to; what is between two cells belongs to the first."""
        return next((part for part in reversed(self.parts) if part.start <= offset), self.parts[0])


@dataclass(eq=False)
class Document:
    """A text that is open: one document of the editor, or a notebook with one for each cell."""

    uri: str
    path: str
    kind: Kind
    version: int | None
    number: int = 0
    last: Judged | None = None
    """What was found in the last state of it that could be read."""
    result: Judged | None = None
    """What was found in it as it is now, once that is known."""
    drifts: dict[str, Drift] = field(default_factory=dict)
    """What has been edited since, by document."""

    def snapshot(self, folder: str | None) -> Snapshot:
        """Take it as it is now."""
        raise NotImplementedError

    def changed(self, version: int | None) -> None:
        """Take note that it is another text now."""
        self.version = version
        self.number += 1
        self.result = None

    def keep(self, judged: Judged) -> None:
        """Remember what was found in the text as it is now."""
        self.last = judged
        self.drifts = {}

    def _edited(self, uri: str, text: Text, changes: list[Any]) -> Text:
        """Make the changes in one of its documents, in order."""
        drift = self.drifts.setdefault(uri, Drift())
        for change in changes:
            span = Span(0, len(text.content))
            new = change.text
            if isinstance(change, types.TextDocumentContentChangePartial):
                span = text.span(change.range)
            after = text.replaced(span, new)
            size = len(after.content) - len(text.content) + span.stop - span.start
            if not isinstance(change, types.TextDocumentContentChangePartial):
                span, size = _difference(text.content, after.content)
            drift.edit(span, size)
            text = after
        return text


@dataclass(eq=False)
class TextDocument(Document):
    """A text in one document."""

    text: Text = field(default_factory=lambda: Text(b""))

    def change(self, version: int | None, changes: list[Any]) -> None:
        """Make the changes, in order."""
        self.text = self._edited(self.uri, self.text, changes)
        self.changed(version)

    def snapshot(self, folder: str | None) -> Snapshot:
        """Take it as it is now, in the bytes that the editor would write."""
        content = self.text.content
        lead = len(BOM) if content.startswith(BOM) else 0
        part = Part(self.uri, self.version, self.text, lead=lead)
        return Snapshot(self.path, self.kind, _as_written(self.kind, content), self.number, (part,), folder)


@dataclass(eq=False)
class Cell:
    """A cell of a notebook that is open."""

    uri: str
    is_code: bool
    metadata: Any
    language: str
    version: int | None
    text: Text


@dataclass(eq=False)
class NotebookDocument(Document):
    """A notebook that is open as such: a document for each cell."""

    cells: list[Cell] = field(default_factory=list)
    metadata: Any = None

    def snapshot(self, folder: str | None) -> Snapshot:
        """Take it as it is now, as the JSON of a notebook."""
        raw = json.dumps(
            {"cells": [_as_json(cell) for cell in self.cells], "metadata": _plain(self.metadata), "nbformat": 4},
            ensure_ascii=False,
        ).encode()
        source = Source.decode(self.path, Kind.NOTEBOOK, raw)
        parts: list[Part] = []
        from adalint.notebook import Notebook

        if isinstance(source, Notebook):
            for cell, span in zip(source.cells, source.cell_spans, strict=False):
                own = self.cells[cell.number - 1]
                parts.append(Part(own.uri, own.version, own.text, start=span.start))
        return Snapshot(self.path, self.kind, raw, self.number, tuple(parts), folder, is_notebook=True)

    def change_cell(self, uri: str, version: int | None, changes: list[Any]) -> None:
        """Make the changes in one cell, in order."""
        for cell in self.cells:
            if cell.uri == uri:
                cell.text = self._edited(uri, cell.text, changes)
                cell.version = version


def _as_json(cell: Cell) -> dict[str, Any]:
    metadata = _plain(cell.metadata)
    if cell.is_code:  # what the editor calls the language of the cell is what it is
        metadata = {**metadata, "vscode": {"languageId": cell.language}}
    return {
        "cell_type": "code" if cell.is_code else "markdown",
        "metadata": metadata,
        "source": cell.text.content.decode(),
    }


def _plain(value: Any) -> dict[str, Any]:
    """Give what the protocol calls an object as a dict that JSON can write; empty for anything else."""
    found = value if isinstance(value, dict) else getattr(value, "__dict__", None)
    try:
        return json.loads(json.dumps(found)) if found else {}
    except (TypeError, ValueError):
        return {}


def _as_written(kind: Kind, content: bytes) -> bytes:
    """Give the bytes of a file with this text: a coding line of Python says what is written."""
    if kind is not Kind.PYTHON or content.startswith(BOM):
        return content
    import io
    import tokenize

    try:
        codec, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content if codec == "utf-8" else content.decode().encode(codec)
    except (SyntaxError, UnicodeError, LookupError):
        return content


def _difference(old: bytes, new: bytes) -> tuple[Span, int]:
    """Find the part in which two texts differ: where it stands in the old one, and its size in the new one."""
    first = _in_common(old, new)
    room = min(len(old), len(new)) - first
    last = _in_common(old[len(old) - room :][::-1], new[len(new) - room :][::-1])
    return Span(first, len(old) - last), len(new) - last - first


def _in_common(one: bytes, other: bytes) -> int:
    """Count the bytes with which both begin, by halving: comparing slices is quick, going through bytes is not."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def path_of(uri: str, folder: str | None) -> str | None:
    """Give the path of a document; one that has no file yet is taken to be in a folder. None for other schemes."""
    if uri_scheme(uri) == "file":
        return to_fs_path(uri)
    if uri.startswith("untitled:"):
        name = os.path.basename(uri.removeprefix("untitled:")) or "untitled"
        return os.path.join(folder or os.getcwd(), name)
    return None


def kind_for(path: str, language: str) -> Kind | None:
    """Tell how a document is read: by the name of its file, else by its language."""
    return kind_of(path) or KIND_OF_LANGUAGE.get(language)
