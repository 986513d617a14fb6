"""Texts within texts: the code cells of a notebook, the fenced blocks of Markdown.

The file is the host. What is embedded is a Source of its own, read, judged and mended like any file of its kind; it
knows where each of its bytes stands in the host, and findings and edits are carried there.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from adalint import files
from adalint.readers.cell_magics import blanked, plain, shell_in
from adalint.readers.errors import ReadError
from adalint.source import NEWLINE, Edit, Kind, Position, Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from adalint.cells import Cell
    from adalint.findings import Finding

_ALLOCATE: Final = b"update_and_allocate"
"""In a text that names AdaLoRA, a block that has this is about it, whether or not it says so itself."""

_PROMPT: Final = re.compile(rb"^([ \t]*)\$ ", re.MULTILINE)
"""What some write in front of a command."""

LINE: Final = "!"
"""The title of a command line among the Python of a cell."""

HOSTS: Final = frozenset({Kind.NOTEBOOK, Kind.MARKDOWN})


@dataclass(frozen=True, kw_only=True)
class Embedded(Source):
    """A text within another.

    `lines` are the places of its lines in the host, one for each; none when all offsets are the same there. `unread`
    says what in it could not be read and is blanked. `beside` are the Python texts of the same host; `title` is the
    file that the text is said to be. `holes` are places within that belong to other texts.
    """

    host: Source = field(hash=False)
    lines: tuple[Span, ...] | None = None
    unread: tuple[ReadError, ...] = ()
    beside: tuple[bytes, ...] = field(default=(), hash=False)
    title: str | None = None
    holes: tuple[Span, ...] = field(default=(), hash=False)

    @property
    def name(self) -> str:
        """The name of the file that the text stands for, where the host gives it one."""
        return os.path.basename(self.title or self.path)

    def position(self, offset: int) -> Position:
        """Turn a byte offset into row and column as people count them in the host."""
        return self.host.position(self.out(offset))

    def out(self, offset: int) -> int:
        """Give the place of an offset in the host; that of the end is where a further line would start."""
        if self.lines is None:
            return offset
        index = bisect_right(self._starts, offset) - 1
        if index >= len(self.lines):
            return self.lines[-1].stop
        return self.lines[index].start + offset - self._starts[index]

    def span_out(self, span: Span) -> Span:
        """Give the place of a span in the host; one that ends with a line ends there, too."""
        stop = self.out(span.stop - 1) + 1 if span.stop > span.start else self.out(span.start)
        return Span(self.out(span.start), stop)

    def holds(self, span: Span) -> bool:
        """Tell whether a place of the host lies in this text."""
        if self.lines is None:
            return not any(hole.start <= span.start < hole.stop for hole in self.holes)
        return bool(self.lines) and self.lines[0].start <= span.start < self.lines[-1].stop

    def span_in(self, span: Span) -> Span:
        """Give the place in this text of a span of the host that it holds."""
        return Span(self._in(span.start), self._in(span.stop))

    def edits_out(self, edits: Sequence[Edit]) -> tuple[Edit, ...]:
        """Carry edits to the host: each new line stands behind the indent, or the `>`, of the line it comes from."""
        return tuple(edits) if self.lines is None else tuple(self._edit_out(edit, self.lines) for edit in edits)

    def finding_out(self, finding: Finding) -> Finding:
        """Carry a finding to the host."""
        return finding if self.lines is None else finding.carried(self.span_out, self.edits_out)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(line.stop - line.start for line in self.lines or ())]

    def _in(self, offset: int) -> int:
        if self.lines is None:
            return offset
        index = max(0, bisect_right(self.lines, offset, key=lambda line: line.start) - 1)
        return self._starts[index] + min(offset, self.lines[index].stop) - self.lines[index].start

    def _lead(self, index: int) -> str:
        """Give what stands in the host before a line; a blank one may have less there than the others."""

        def is_full(line: Span) -> bool:
            return bool(self.host.content[line.start : line.stop].strip())

        lines = self.lines or ()
        line = lines[index] if index < len(lines) and is_full(lines[index]) else next(filter(is_full, lines), lines[0])
        return self._before(line)

    def _before(self, line: Span) -> str:
        return self.host.slice(Span(self.host.line_starts[self.host.row_of(line.start) - 1], line.start))

    def _edit_out(self, edit: Edit, lines: tuple[Span, ...]) -> Edit:
        first = min(bisect_right(self._starts, edit.span.start) - 1, len(lines))
        lead = self._lead(first)
        start, stop = self.out(edit.span.start), self.out(edit.span.stop)
        text = NEWLINE.sub(lambda match: match[0] + lead.encode(), edit.text.encode()).decode()
        if edit.span.stop < len(self.content) or not self.content.endswith((b"\n", b"\r")):
            return Edit(Span(start, stop), text)
        # The line behind the last is none of this text: what ends here ends with its line, or with the one before.
        text = text.removesuffix(lead) if edit.text.endswith(("\n", "\r")) else text
        if edit.span.start not in self._starts:
            return Edit(Span(start, stop), text if edit.text.endswith(("\n", "\r")) else text + self.newline)
        if edit.span.start == len(self.content):
            return Edit(Span(start, stop), lead + text)
        whole = Span(start - len(self._before(lines[first]).encode()), stop)
        return Edit(whole, lead + text if text else "")


def with_holes(source: Source, span: Span) -> Span:
    """Reach on over the texts of others that begin in a part of a text, or right behind it: a line behind `!`."""
    stop = span.stop
    for hole in source.holes if isinstance(source, Embedded) else ():
        if span.start <= hole.start <= stop + len(LINE):
            stop = max(stop, hole.stop)
    return Span(span.start, stop)


def texts_in(source: Source) -> list[Source]:
    """Give the texts that are read in a source: itself, or what is embedded in it.

    Raises:
        ReadError: the source is a notebook that cannot be read.
    """
    return [*embedded_in(source)] if source.kind in HOSTS else [source]


def text_at(texts: Sequence[Embedded]) -> Callable[[Span], Embedded | None]:
    """Give what finds the text of a host that a place lies in: one of lines, or else the one around them."""
    apart = sorted(((text.lines[0].start, text) for text in texts if text.lines), key=itemgetter(0))
    whole = next((text for text in texts if text.lines is None), None)

    def find(span: Span) -> Embedded | None:
        at = bisect_right(apart, span.start, key=itemgetter(0))
        near = [text for _, text in apart[max(0, at - 1) : at]]
        return next((text for text in near if text.holds(span)), whole)

    return find


def embedded_in(source: Source) -> list[Embedded]:
    """Give the texts in a notebook or a Markdown file that name AdaLoRA, in order.

    Raises:
        ReadError: the source is a notebook that cannot be read.
    """
    if source.kind is Kind.NOTEBOOK:
        return _of_notebook(source) if files.mentions_adalora(source.content) else []
    return _of_markdown(source)


def python_of(notebook: Source) -> Embedded:
    """Give the code of all cells of a notebook as one Python text, whatever it names.

    Raises:
        ReadError: the notebook cannot be read.
    """
    return _of_notebook(notebook)[0]


def unread_in(source: Source) -> tuple[ReadError, ...]:
    """Tell what in a text could not be read, and so was blanked."""
    return source.unread if isinstance(source, Embedded) else ()


# Notebooks


def _of_notebook(source: Source) -> list[Embedded]:
    from adalint.notebook import Notebook
    from adalint.readers.notebook_reader import code_cells

    if not isinstance(source, Notebook):
        code_cells(source)
        raise ReadError("not a notebook", 0)
    content = bytearray(source.content)
    unread = []
    for cell, span in zip(source.cells, source.cell_spans, strict=True):
        python, error = _readable(cell.text, source.path)
        content[span.start : span.stop] = python.encode()
        if error is not None:
            unread.append(ReadError(error.message, span.start + error.offset))
    scripts = [
        one for cell, span in zip(source.cells, source.cell_spans, strict=True) for one in _scripts_in(cell, span)
    ]
    shell = [
        Embedded(source.path, Kind.SHELL, one.text, host=source, lines=_lines_of(source, one.place), title=one.title)
        for one in scripts
        if files.mentions_adalora(one.text)
    ]
    holes = tuple(span for text in shell for span in text.lines or ())
    own = Embedded(source.path, Kind.PYTHON, bytes(content), host=source, unread=tuple(unread), holes=holes)
    return [own, *shell]


@dataclass(frozen=True, slots=True)
class _Script:
    """What a cell hands to a shell, as the shell gets it, and where it stands; a line behind `!` is called that."""

    text: bytes
    place: Span
    title: str


def _scripts_in(cell: Cell, place: Span) -> Iterator[_Script]:
    if "!" not in cell.text and "%%" not in cell.text:
        return
    for script in shell_in(cell.text):
        start = place.start + len(cell.text[: script.start].encode())
        text = script.text.encode()
        yield _Script(text, Span(start, start + len(text)), "cell.sh" if script.is_cell else LINE)


def _lines_of(source: Source, span: Span) -> tuple[Span, ...]:
    rows = range(source.row_of(span.start), source.row_of(max(span.start, span.stop - 1)) + 1)
    starts = [span.start, *(source.line_starts[row - 1] for row in rows[1:]), span.stop]
    return tuple(Span(start, stop) for start, stop in pairwise(starts))


def installs_in(source: Source) -> list[tuple[int, str]]:
    """Give what a notebook's cells say to pip and to the shell, each with the number of its cell."""
    from adalint.notebook import Notebook

    cells = source.cells if isinstance(source, Notebook) else ()
    found = [(cell.number, plain(cell.text)) for cell in cells if "install" in cell.text]
    return [(number, command) for number, cell in found for command in cell.commands]


def _readable(text: str, path: str) -> tuple[str, ReadError | None]:
    """Give a cell as Python that can be read, blank when it is none; the error when it should have been."""
    from adalint.readers.python_syntax import parse

    cell = plain(text)
    if cell.foreign:
        return cell.python, None
    try:
        parse(Source(path, Kind.PYTHON, cell.python.encode()))
    except ReadError as error:
        is_ours = files.mentions_adalora(text.encode()) and not _runs_in_ipython(text)
        return _comments_kept(text), error if is_ours else None
    return cell.python, None


def _runs_in_ipython(text: str) -> bool:
    """Tell whether IPython would take away what keeps a cell from being Python: an indent, or prompts."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return first.startswith((" ", "\t", ">>>", "In ["))


def _comments_kept(text: str) -> str:
    """Blank a cell but for the comments in front, which are comments whatever follows."""
    kept = 0
    for line in text.splitlines(keepends=True):
        if line.strip() and not line.lstrip().startswith("#"):
            break
        kept += len(line)
    return text[:kept] + blanked(text[kept:])


# Markdown


def _of_markdown(source: Source) -> list[Embedded]:
    from adalint.readers.markdown_reader import fences_of

    blocks = []
    for fence in fences_of(source):
        content = b"".join(source.content[line.start : line.stop] for line in fence.lines)
        python = fence.kind is Kind.PYTHON
        if python:
            content = plain(content.decode()).python.encode()
        elif fence.kind is Kind.SHELL:
            content = _PROMPT.sub(rb"\1  ", content)
        blocks.append((fence, content))
    beside = tuple(content for fence, content in blocks if fence.kind is Kind.PYTHON)
    return [
        Embedded(
            source.path,
            fence.kind,
            content,
            host=source,
            lines=fence.lines,
            beside=beside,
            title=fence.name,
        )
        for fence, content in blocks
        if files.mentions_adalora(content) or (fence.kind is Kind.PYTHON and _ALLOCATE in content)
    ]
