"""What `requirements*.txt` ask for, as pip reads them."""

from __future__ import annotations

import codecs
import os
import re
from typing import TYPE_CHECKING, Final

from adalint import files
from adalint.source import SourceError
from adalint.targets.requirement import Said, requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_INCLUDES: Final = 50
COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_INCLUDE = re.compile(r"(?:-r|-c|--requirements?|--constraints?)(?:\s*=\s*|\s+|(?<=-[rc]))(.+)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s+)")
_OPTIONS = re.compile(r"(?<=\s)--?[a-z].*", re.DOTALL)


def requirements(path: str, text: str, seen: list[str]) -> Iterator[Said]:
    """Read the lines of a `requirements.txt`, and what they include; `seen` are the files that are being read."""
    for row, line in _logical_lines(text):
        include = _INCLUDE.fullmatch(line)
        if include:
            yield from _included(os.path.join(os.path.dirname(path), include.group(1).strip("\"' ")), seen)
            continue
        wanted = _OPTIONS.sub("", _EDITABLE.sub("", line)).strip()
        said = requirement(wanted, path, row) if wanted and not wanted.startswith("-") else None
        if said is not None:
            yield said


def _included(path: str, seen: list[str]) -> Iterator[Said]:
    path = os.path.normpath(path)
    if path in seen or len(seen) >= _MAX_INCLUDES:
        return
    seen.append(path)
    text = text_of(path)
    if text is not None:
        yield from requirements(path, text, seen)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join the lines that a backslash continues, without comments; the row is that of the first."""
    start = 1
    parts: list[str] = []
    for row, line in enumerate(text.splitlines(), 1):
        if not parts:
            start = row
        continued = line.endswith("\\") and not line.lstrip().startswith("#")
        parts.append(line[:-1] if continued else line)
        if not continued:
            joined = COMMENT.sub("", " ".join(parts)).strip()
            parts = []
            if joined:
                yield start, joined
    if parts:
        yield start, COMMENT.sub("", " ".join(parts)).strip()


def text_of(path: str) -> str | None:
    """Give the text of a file, whatever wrote it; None when it cannot be read."""
    try:
        raw = files.read(path)
    except (SourceError, OSError):
        return None
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if raw.startswith(mark):  # `pip freeze > requirements.txt` in PowerShell
            return raw[len(mark) :].decode(codec, errors="replace")
    return raw.removeprefix(codecs.BOM_UTF8).decode(errors="replace")
