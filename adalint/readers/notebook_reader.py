"""Reading the JSON of a notebook as far as its code cells: where the text of each stands, and everything around it.

Only the way to the sources is read with positions. The rest, outputs of megabytes among it, is passed over by Python's
own decoder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from adalint.readers.errors import ReadError
from adalint.readers.json_reader import read_json
from adalint.readers.tree import Offsets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source

MAJOR: Final = 4
"""The format of notebooks since 2015."""

_OTHER_KERNELS: Final = ("ir", "julia")
"""Kernels by whose name alone some tools tell the language; any other may be an environment of Python."""

_BLANKS: Final = " \t\n\r"


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A code cell: its number among all cells, from 1, and where its `source` stands, in characters of the file."""

    number: int
    start: int
    stop: int


def code_cells(source: Source) -> list[CodeCell]:
    """Find the code cells of a notebook that are Python, in order; none when its kernel speaks another language.

    Raises:
        ReadError: the text is not JSON, or no notebook of format 4.
    """
    scan = _Scan(source.text)
    try:
        return _read(scan)
    except ValueError as error:
        read_json(source)  # says it better when it is no JSON
        _fail(source, str(error), scan.at)
    except RecursionError:
        _fail(source, "nested too deeply", 0)


def _fail(source: Source, message: str, at: int) -> NoReturn:
    raise ReadError(f"not a notebook: {message}", Offsets(source.text)(at))


def _read(scan: _Scan) -> list[CodeCell]:
    found: list[tuple[CodeCell, object]] = []
    members: dict[str, Any] = {}
    for key in scan.members():
        if key == "cells":
            found = [cell for number, _ in enumerate(scan.items(), start=1) if (cell := _cell(scan, number))]
            members[key] = ()
        else:
            members[key] = scan.value()
    if scan.peek():
        raise ValueError("more text after its end")
    scan.at = 0
    major = members.get("nbformat", MAJOR)
    if major != MAJOR or isinstance(major, bool):
        remedy = "open it in Jupyter and save it, which brings it up to date"
        raise ValueError(f"adalint reads nbformat {MAJOR}, and this says {str(major)[:20]}; {remedy}")
    if "cells" not in members:
        raise ValueError("it has no list `cells`")
    language = _language(members.get("metadata"))
    return [cell for cell, own in found if _is_python(own if isinstance(own, str) else language)]


def _cell(scan: _Scan, number: int) -> tuple[CodeCell, object] | None:
    """Read one cell; None when it holds no code. Comes with the language that the cell itself names, if it does."""
    kind: object = None
    own: object = None
    place: tuple[int, int] | None = None
    for key in scan.members():
        scan.peek()
        start = scan.at
        value = scan.value()
        if key == "cell_type":
            kind = value
        elif key == "source":
            lines = value if isinstance(value, list) else [value]
            if not all(isinstance(line, str) for line in lines):
                scan.at = start
                raise ValueError("the source of a cell is a string or a list of strings")
            place = (start, scan.at)
        elif key == "metadata" and isinstance(value, dict):
            own = _at(value, "vscode", "languageId")
    return None if kind != "code" or place is None else (CodeCell(number, *place), own)


def _language(metadata: object) -> object:
    for path in (("kernelspec", "language"), ("language_info", "name")):
        said = _at(metadata, *path)
        if isinstance(said, str) and said:
            return said
    kernel = _at(metadata, "kernelspec", "name")
    return kernel if isinstance(kernel, str) and kernel.startswith(_OTHER_KERNELS) else "python"


def _is_python(language: object) -> bool:
    return isinstance(language, str) and language.lower().startswith(("python", "ipython"))


def _at(value: object, *path: str) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


class _Scan:
    """A place in JSON text; brackets are entered one by one, everything else is decoded at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.decode = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        while (character := self.text[self.at : self.at + 1]) and character in _BLANKS:
            self.at += 1
        return character

    def take(self, expected: str) -> str:
        character = self.peek()
        if not character or character not in expected:
            raise ValueError(f"expected {' or '.join(f'`{one}`' for one in expected)}")
        self.at += 1
        return character

    def value(self) -> Any:
        self.peek()
        value, self.at = self.decode(self.text, self.at)
        return value

    def members(self) -> Iterator[str]:
        """Go through an object: each key; the caller takes the value before the next one."""
        self.take("{")
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            if self.peek() != '"':
                raise ValueError("expected a key")
            key = self.value()
            self.take(":")
            yield key
            if self.take(",}") == "}":
                return

    def items(self) -> Iterator[None]:
        """Go through a list; the caller takes each value before the next one."""
        self.take("[")
        if self.peek() == "]":
            self.at += 1
            return
        while True:
            yield None
            if self.take(",]") == "]":
                return
