"""A unified diff in bytes, as `patch -p0` and `git apply -p0` take it."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from adalint.report.words import shown_path
from adalint.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source

_NO_NEWLINE = b"\n\\ No newline at end of file\n"
_ODD = re.compile(r'[\x00-\x1f\x7f"\\]')


def is_patchable(source: Source) -> bool:
    """Tell whether the file's own bytes are told line by line: not so of notebooks, in UTF-16 and in UTF-32."""
    return source.kind is not Kind.NOTEBOOK and not source.encoding.codec.startswith(("utf-16", "utf-32"))


def shown_as(source: Source) -> str:
    """Name what keeps the diff of a file from being one of its bytes: it is a notebook, or its codec."""
    return source.kind if source.kind is Kind.NOTEBOOK else source.encoding.codec


def render(before: Source, after: Source) -> bytes:
    """Give the diff from one state of a file to another; nothing when they are the same.

    The bytes are those of the file; a file in UTF-16 or UTF-32 is shown in UTF-8, for reading only, and of a notebook
    the cells that change, each as a file of its own.
    """
    if before.kind is Kind.NOTEBOOK:
        return b"".join(_of_cells(before, after))
    old, new = (source.encode() if is_patchable(source) else source.content for source in (before, after))
    name = _name(shown_path(before.path))
    return b"".join(_lines(old, new, name))


def _of_cells(before: Source, after: Source) -> Iterator[bytes]:
    from adalint.notebook import Notebook

    if isinstance(before, Notebook) and isinstance(after, Notebook):
        for old, new in zip(before.cells, after.cells, strict=True):
            name = _name(f"{shown_path(before.path)}:cell {old.number}")
            # A cell is no file: that its last line has no end is nothing to tell.
            yield from _lines(f"{old.text}\n".encode(), f"{new.text}\n".encode(), name)


def _lines(old: bytes, new: bytes, name: bytes) -> Iterator[bytes]:
    # Only LF ends a line for `patch`; a CR is content.
    lines = difflib.diff_bytes(difflib.unified_diff, _split(old), _split(new), name, name, lineterm=b"\n")
    for line in lines:
        yield line if line.endswith(b"\n") else line + _NO_NEWLINE


def _split(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    return [*(line + b"\n" for line in lines[:-1]), *([lines[-1]] if lines[-1] else [])]


def _name(path: str) -> bytes:
    if _ODD.search(path):
        path = '"' + _ODD.sub(lambda match: f"\\{ord(match.group()):03o}", path) + '"'
    # A tab ends the name, so that one with spaces is read whole.
    return path.encode(errors="surrogateescape") + (b"\t" if " " in path else b"")
