"""Dialects: how frameworks write AdaLoRA, one TOML record each.

A record is read when a text holds one of its marks, and a Python file one of its modules as well; until then only its
first two lines are, so that a run over files of nobody's dialect pays for none. CONTRIBUTING.md says how to add one.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from adalint.dialects.record import Record

FOLDER = Path(__file__).parent
_PACKAGE: Final = re.compile(r"""^package\s*=\s*["']([\w.-]+)["']""", re.MULTILINE)


class RecordError(ValueError):
    """A dialect record that cannot be used; the message names the file and what is wrong."""


@cache
def marks(folder: Path) -> Mapping[Path, tuple[bytes, ...]]:
    """Read the first line of each record: the words, one of which a text must hold.

    Raises:
        RecordError: the first line of a record is not `marks = [...]`.
    """
    found = {path: _words(path, 0, "marks") for path in sorted(folder.glob("*.toml"))}
    for path, words in found.items():
        if not words:
            raise RecordError(f"{path.name}: line 1: `marks = [...]` must stand there")
    return found


@cache
def modules(folder: Path) -> Mapping[Path, tuple[bytes, ...]]:
    """Read the second line of each record that Python speaks: the modules, one of which a file must import."""
    return {path: _words(path, 1, "modules") for path in marks(folder)}


def packages() -> frozenset[str]:
    """Name the packages of the frameworks, without the rest of their records."""
    return _packages(FOLDER)


@cache
def _packages(folder: Path) -> frozenset[str]:
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.toml"))
    return frozenset(name for text in texts for name in _PACKAGE.findall(text))


def _words(path: Path, line: int, key: str) -> tuple[bytes, ...]:
    with path.open("rb") as stream:
        text = [stream.readline() for _ in range(line + 1)][line]
    try:
        return tuple(word.encode() for word in tomllib.loads(text.decode())[key])
    except (tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError):
        return ()


@cache
def load(path: Path) -> Record:
    """Read one record.

    Raises:
        RecordError: it is no TOML, or says something that the model does not know.
    """
    from pydantic import ValidationError

    from adalint.dialects.record import Record

    try:
        return Record.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise RecordError(f"{path.name}: {error}") from None
    except ValidationError as error:
        reasons = "; ".join(map(_reason, error.errors()))
        raise RecordError(f"{path.name}: {reasons}; docs/dialect-record.md has all keys") from None


def _reason(error: ErrorDetails) -> str:
    """Say what is wrong, behind the path of the key."""
    match error["type"]:
        case "extra_forbidden":
            said = "there is no such key"
        case "missing":
            said = "it must be written"
        case "value_error":
            said = error["msg"].removeprefix("Value error, ")
        case _:
            said = f"{error['msg']}, not {error['input']!r}"
    place = ".".join(map(str, error["loc"]))
    return f"{place}: {said}" if place else said


def records() -> list[Record]:
    """Read all records.

    Raises:
        RecordError: one cannot be used.
    """
    return [load(path) for path in marks(FOLDER)]


def spoken_in(content: bytes, surface: str) -> list[Record]:
    """Give the records of which a text holds a mark, and that are spoken in texts of this kind; generic ones last."""
    spoken = [load(path) for path, words in marks(FOLDER).items() if any(word in content for word in words)]
    return sorted((one for one in spoken if surface in one.surfaces), key=lambda record: record.generic)


def spoken_in_python(content: bytes) -> list[Record]:
    """Give the records of which a Python file holds a mark and the name of a module."""
    named = {path for path, words in modules(FOLDER).items() if any(word in content for word in words)}
    spoken = [load(path) for path in named if any(word in content for word in marks(FOLDER)[path])]
    return sorted(spoken, key=lambda record: record.title)
