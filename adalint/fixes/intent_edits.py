"""Writing answers into a settings file by hand: what stands there stays, byte for byte, and tomllib proves the result.

A TOML writer would do, too, but would be one more dependency for a few lines, and promise less.
"""

from __future__ import annotations

import copy
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PART: Final = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_HEADER: Final = re.compile(rf"[ \t]*\[[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*\][ \t]*(?:#.*)?")
_INLINE: Final = re.compile(r"""[^#\n]*?\bintent["']?[ \t]*=[ \t]*\{[ \t]*""")
_DOTTED: Final = re.compile(r"""([ \t]*(?:[\w-]+[ \t]*\.[ \t]*)*intent[ \t]*\.[ \t]*)[\w"'-]+[ \t]*=""")


def with_intent(text: str, table: tuple[str, ...], answers: Mapping[str, str]) -> str | None:
    """Add answers to the `intent` of a TOML text whose settings stand in a table; None where no place is found.

    Each way is tried until one gives a text that says what the old one said, and the answers.

    Raises:
        tomllib.TOMLDecodeError: the text is no TOML.
    """
    wanted = _meant(tomllib.loads(text), (*table, "intent"), answers)
    for candidate in _ways(text, (*table, "intent"), answers):
        try:
            if tomllib.loads(candidate) == wanted:
                return candidate
        except tomllib.TOMLDecodeError:
            continue
    return None


def _meant(document: dict[str, Any], path: tuple[str, ...], answers: Mapping[str, str]) -> dict[str, Any]:
    document = copy.deepcopy(document)
    here = document
    for key in path:
        here = here.setdefault(key, {})
    here.update(answers)
    return document


def _ways(text: str, path: tuple[str, ...], answers: Mapping[str, str]) -> Iterator[str]:
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    written = [f'{key} = "{word}"' for key, word in answers.items()]
    lines = text.splitlines(keepends=True) if "\n" in text else [text]
    start = 0
    for line in lines:
        stop = start + len(line)
        body = line.rstrip("\r\n")
        before = text[:stop] if line != body else text[:stop] + newline
        if (match := _HEADER.fullmatch(body)) and _parts(match[1]) == path:
            yield before + "".join(f"{one}{newline}" for one in written) + text[stop:]
        if match := _DOTTED.match(body):
            yield before + "".join(f"{match[1]}{one}{newline}" for one in written) + text[stop:]
        if match := _INLINE.match(body):
            at = start + match.end()
            gap = "" if match[0].endswith((" ", "\t")) else " "
            yield f"{text[:at]}{gap}{', '.join(written)} {text[at:]}"
            yield f"{text[:at]}{gap}{', '.join(written)}, {text[at:]}"
        start = stop
    ended = text if not text or text.endswith("\n") else text + newline
    blank = newline if ended else ""
    yield f"{ended}{blank}[{'.'.join(path)}]{newline}" + "".join(f"{one}{newline}" for one in written)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
