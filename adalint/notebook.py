"""A notebook as one Python text: the sources of its code cells in order, an empty line between two.

The JSON around them is how that text is written, as an encoding is. It is kept as it stands: an edit changes
the strings that it touches, in the manner in which they are written, and no other byte.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from adalint.cells import PLAIN, UNIT, Cell, style_of
from adalint.findings import Report
from adalint.readers.errors import ReadError
from adalint.readers.notebook_reader import code_cells
from adalint.readers.tree import Offsets
from adalint.source import NEWLINE, Edit, Kind, Position, Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adalint.cells import CharEdit, Style


@dataclass(frozen=True)
class Notebook(Source):
    """The text of a notebook's code cells; `frame` is the JSON before, between and behind their sources."""

    frame: tuple[str, ...] = field(default=(), hash=False)
    cells: tuple[Cell, ...] = field(default=(), hash=False)

    @cached_property
    def cell_spans(self) -> list[Span]:
        """Where the text of each cell stands."""
        sizes = [len(cell.text.encode()) for cell in self.cells]
        starts = accumulate((size + len(self.gap) for size in sizes), initial=0)
        return [Span(start, start + size) for start, size in zip(starts, sizes, strict=False)]

    @cached_property
    def gap(self) -> bytes:
        """What stands between two cells."""
        return _between(self.cells)

    @cached_property
    def _style(self) -> Style | None:
        return style_of(self.file.text)

    def cell_at(self, offset: int) -> int:
        """Give the index of the cell that an offset belongs to; what is between two cells belongs to the first."""
        return max(0, bisect_right(self.cell_spans, offset, key=lambda span: span.start) - 1)

    def encode(self) -> bytes:
        """Give the bytes to write to the file."""
        return self.file.encode()

    @cached_property
    def file(self) -> Source:
        """The JSON as it stands in the file."""
        pieces = [piece for pair in zip(self.frame, self.cells, strict=False) for piece in (pair[0], pair[1].raw)]
        return Source(self.path, Kind.JSON, "".join([*pieces, self.frame[-1]]).encode(), self.encoding)

    def position(self, offset: int) -> Position:
        """Turn a byte offset into the row and column within its cell."""
        if not self.cells:
            return super().position(offset)
        index = self.cell_at(offset)
        span = self.cell_spans[index]
        place = super().position(min(offset, span.stop))
        return Position(place.row - self.row_of(span.start) + 1, place.column, self.cells[index].number)

    def apply(self, edits: Iterable[Edit]) -> Notebook:
        """Give the notebook with the edits made.

        An edit that reaches over the end of a cell ends there: what is between two cells is no text of the notebook.

        Raises:
            ValueError: two edits touch the same bytes.
        """
        cells = list(self.cells)
        for index, inside in self.by_cell(edits).items():
            cells[index] = self.edited(index, inside)
        return _notebook(self.path, self.frame, cells, self)

    def edited(self, index: int, edits: Sequence[CharEdit]) -> Cell:
        """Give a cell with the edits made, written as that cell is, or else as the whole file is."""
        cell = self.cells[index]
        return cell.apply(edits, style_of(cell.raw) or self._style or PLAIN)

    def by_cell(self, edits: Iterable[Edit]) -> dict[int, list[CharEdit]]:
        """Part edits by the index of their cell, in order and in characters of its text.

        Raises:
            ValueError: two edits touch the same bytes.
        """
        by_cell: dict[int, list[CharEdit]] = {}
        end = 0
        for edit in sorted(edits):
            if edit.span.start < end:
                raise ValueError(f"edits overlap at byte {edit.span.start} of {self.path}")
            end = edit.span.stop
            index = self.cell_at(edit.span.start)
            by_cell.setdefault(index, []).append(self._within(edit, index))
        return by_cell

    def _within(self, edit: Edit, index: int) -> CharEdit:
        """Give an edit in characters of a cell's text."""
        span = self.cell_spans[index]
        start, stop, text = edit.span.start, edit.span.stop, edit.text
        if start > span.stop:  # on the line behind the last: one more line of the cell
            start = stop = span.stop
            text = NEWLINE.search(self.gap)[0].decode() + text  # type: ignore[index]
        if stop > span.stop + len(self.gap):
            raise ValueError(f"an edit reaches over several cells of {self.path}")
        if edit.span.stop > span.stop:
            stop = span.stop
            text = text.rstrip("\r\n")
            if not text:  # the last line goes with the newline before it
                start = span.start + len(self.content[span.start : start].removesuffix(b"\n").removesuffix(b"\r"))
        before = self.content[span.start : start].decode()
        return len(before), len(before) + len(self.content[start:stop].decode()), text


def read_notebook(file: Source) -> Source:
    """Read the JSON of a notebook; where that cannot be done, the text stays the JSON, and reading it says why."""
    try:
        found = code_cells(file)
    except ReadError:
        return replace(file, kind=Kind.NOTEBOOK)
    bounds = [(cell.start, cell.stop) for cell in found]
    starts = [0, *(stop for _, stop in bounds)]
    stops = [*(start for start, _ in bounds), len(file.text)]
    frame = tuple(file.text[start:stop] for start, stop in zip(starts, stops, strict=True))
    cells = [Cell(cell.number, file.text[cell.start : cell.stop]) for cell in found]
    return _notebook(file.path, frame, cells, file)


def _notebook(path: str, frame: tuple[str, ...], cells: Sequence[Cell], like: Source) -> Notebook:
    content = _between(cells).join(cell.text.encode() for cell in cells)
    return Notebook(path, Kind.NOTEBOOK, content, like.encoding, frame, tuple(cells))


def _between(cells: Sequence[Cell]) -> bytes:
    """Give what stands between two cells: an empty line, for a comment at the end of one covers none of the next."""
    windows = sum(cell.text.count("\r\n") for cell in cells)
    return b"\r\n\r\n" if 2 * windows > sum(cell.text.count("\n") for cell in cells) else b"\n\n"


def in_file(report: Report) -> Report:
    """Give a report in places of the file: of a notebook, those in its JSON, edits as they are written there."""
    notebook = report.source
    if not isinstance(notebook, Notebook):
        return report
    text = _InFile(notebook)
    return Report(
        notebook.file,
        tuple(one.carried(text.span, text.edits) for one in report.findings),
        tuple(one.carried(text.span, text.edits) for one in report.suppressed),
    )


class _InFile:
    """The places of a notebook's text in its JSON."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.bytes = Offsets(notebook.file.text)
        sizes = [len(piece) + len(cell.raw) for piece, cell in zip(notebook.frame, notebook.cells, strict=False)]
        self.starts = [end - len(cell.raw) for end, cell in zip(accumulate(sizes), notebook.cells, strict=True)]

    def offset(self, offset: int) -> int:
        index = self.notebook.cell_at(offset)
        span = self.notebook.cell_spans[index]
        before = self.notebook.content[span.start : min(offset, span.stop)].decode()
        return self.bytes(self.starts[index] + self.notebook.cells[index].at(len(before)))

    def span(self, span: Span) -> Span:
        if span.stop <= span.start:
            return Span(self.offset(span.start), self.offset(span.start))
        # The end of a line is that of its string, not the start of the next one.
        tail = self.notebook.content[max(0, span.stop - 4) : span.stop]  # no character has more bytes
        last = len(tail.decode(errors="ignore")[-1].encode())
        after = self.offset(span.stop - last)
        return Span(self.offset(span.start), self._behind(after))

    def _behind(self, offset: int) -> int:
        """Step over one character as it is written."""
        written = UNIT.match(self.notebook.file.content[offset : offset + 12].decode(errors="ignore"))
        return offset if written is None else offset + len(written[0].encode())

    def edits(self, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
        found = []
        for index, inside in self.notebook.by_cell(edits).items():
            start, old, new = (
                self.starts[index],
                self.notebook.cells[index].raw,
                self.notebook.edited(index, inside).raw,
            )
            if old != new:
                first, last = _difference(old, new)
                span = Span(self.bytes(start + first), self.bytes(start + len(old) - last))
                found.append(Edit(span, new[first : len(new) - last]))
        return tuple(found)


def _difference(old: str, new: str) -> tuple[int, int]:
    """Tell how many characters two texts have in common at their start and at their end."""
    shorter = min(len(old), len(new))
    first = next((index for index in range(shorter) if old[index] != new[index]), shorter)
    room = shorter - first
    return first, next((index for index in range(room) if old[-1 - index] != new[-1 - index]), room)
