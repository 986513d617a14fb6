"""The command lines of a Dockerfile: RUN, CMD and ENTRYPOINT, for a shell or as a list."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from adalint.readers.json_reader import STRING
from adalint.readers.shell_builtins import names_in
from adalint.readers.shell_text import Chunk, ShellText
from adalint.readers.shell_variables import Scalar
from adalint.readers.shell_words import Command, Piece, Quoting, Word
from adalint.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.shell_variables import Variable
    from adalint.source import Source

_UNIT: Final = re.compile(rb"\\u[0-9a-fA-F]{4}|\\.|[^\\]+", re.DOTALL)
_ESCAPE: Final = re.compile(rb"#[ \t]*escape[ \t]*=[ \t]*`", re.IGNORECASE)
_INSTRUCTION: Final = re.compile(
    rb"[ \t]*(?P<later>ONBUILD[ \t]+)?(?P<name>RUN|CMD|ENTRYPOINT|SHELL|ENV|FROM)[ \t]+"
    rb"(?P<flags>(?:--[\w-]+(?:=\S*)?[ \t]+)*)",
    re.IGNORECASE,
)
_PAIR: Final = re.compile(
    rb"""[ \t]*(?P<name>[A-Za-z_]\w*)="""
    rb"""(?:"(?P<double>[^"\\$\n]*)"|'(?P<single>[^'\\$\n]*)'|(?P<bare>[^\s"'\\$]*))(?=\s|\Z)"""
)
"""A variable that ENV sets to what is written, as it is written."""
_SHELL: Final = re.compile(rb"""\[[ \t]*"(?:/[\w/]*/)?(?:ba|da)?sh"[^\n]*""")
_DOCUMENT: Final = re.compile(rb"""<<-?[ \t]*["']?(?P<name>\w+)["']?""")


@dataclass(frozen=True, slots=True)
class _Instruction:
    """An instruction as lines without the comments between them; `body` holds those of its here-documents."""

    lines: tuple[Span, ...]
    body: tuple[Span, ...]


def scripts_and_commands(source: Source) -> Iterator[ShellText | Command]:
    """Give what a Dockerfile has a shell run, and the commands that it runs without one, in order."""
    content = source.content
    if _ESCAPE.match(content):
        return  # `\` is no escape there: a Dockerfile for Windows
    speaks_shell, is_bash = True, False
    given: dict[str, Variable] = {}
    for instruction in _instructions(source):
        first = instruction.lines[0]
        match = _INSTRUCTION.match(content, first.start, first.stop)
        if match is None:
            continue
        start = match.end()
        rest = [Span(start, first.stop), *instruction.lines[1:]]
        if match["name"].upper() == b"SHELL":
            speaks_shell = _SHELL.match(content, start, first.stop) is not None
            is_bash = b"bash" in content[start : first.stop]
            continue
        if match["name"].upper() == b"FROM":
            given = {}
            continue
        if match["name"].upper() == b"ENV":
            if not match["later"]:
                given = _with_environment(given, content, rest)
            continue
        words = _listed(content, rest)
        if words is not None:
            if words:
                yield Command(tuple(words), Span(words[0].span.start - 1, words[-1].span.stop + 1))
        elif speaks_shell:
            alone = _DOCUMENT.fullmatch(content[start : first.stop].strip())
            lines = instruction.body[:-1] if alone else (*rest, *instruction.body)
            # What `docker run -e` gives to a command, and another image to an instruction for later, nobody knows.
            at_build = match["name"].upper() == b"RUN" and not match["later"]
            chunks = (Chunk(content[one.start : one.stop], one) for one in lines)
            yield ShellText.joined(chunks, "\n", given if at_build else None, is_bash=is_bash)


def _with_environment(given: dict[str, Variable], content: bytes, lines: list[Span]) -> dict[str, Variable]:
    """Add what an ENV sets, where all of it is written plainly; else nobody knows what it names."""
    said: dict[str, Variable] = {}
    plain = True
    for line in lines:
        row = content[line.start : line.stop].rstrip().removesuffix(b"\\")
        at = 0
        for match in _PAIR.finditer(row):
            plain = plain and match.start() == at
            at = match.end()
            value = match["double"] or match["single"] or match["bare"] or b""
            start = line.start + match.end("name") + 1
            piece = Piece(value.decode(), Span(start, line.start + match.end()), Quoting.STRING, fixed=True)
            said[match["name"].decode()] = Scalar((piece,))
        plain = plain and not row[at:].strip()
    if plain:
        return {**given, **said}
    text = b"".join(content[one.start : one.stop] for one in lines).decode()
    return {name: value for name, value in given.items() if name not in names_in(text)}


def _instructions(source: Source) -> Iterator[_Instruction]:
    content = source.content
    starts = [*source.line_starts, len(content)]
    rows = [Span(start, stop) for start, stop in pairwise(starts)]
    at = 0
    while at < len(rows):
        lines: list[Span] = []
        while at < len(rows):
            row = rows[at]
            text = content[row.start : row.stop]
            at += 1
            if not text.strip() or text.lstrip().startswith(b"#"):
                if not lines:
                    break
                continue
            lines.append(row)
            if not text.rstrip().endswith(b"\\"):
                break
        if not lines:
            continue
        body: list[Span] = []
        for match in _DOCUMENT.finditer(b"".join(content[one.start : one.stop] for one in lines)):
            while at < len(rows):
                body.append(rows[at])
                at += 1
                if content[body[-1].start : body[-1].stop].strip() == match["name"]:
                    break
        yield _Instruction(tuple(lines), tuple(body))


def _listed(content: bytes, lines: list[Span]) -> list[Word] | None:
    """Give the words of a JSON list of strings; None when the text is none, so that a shell reads it."""
    text = b"".join(re.sub(rb"\\[ \t]*\r?\n\Z", b"  \n", content[one.start : one.stop]) for one in lines).decode()
    if not text.lstrip().startswith("["):
        return None
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        return None
    words: list[Word] = []
    for line in lines:
        row = content[line.start : line.stop].decode()
        for match in STRING.finditer(row):
            start = line.start + len(row[: match.start() + 1].encode())
            words.append(string_word(match[0][1:-1], start))
    return words if [word.value for word in words] == items else None


def string_word(written: str, start: int) -> Word:
    """Read what stands between the quotes of a JSON string that starts at a byte."""
    pieces = []
    at = start
    for match in _UNIT.finditer(written.encode()):
        stop = at + len(match[0])
        escaped = match[0][:1] == b"\\"
        text = json.loads(b'"' + match[0] + b'"')
        pieces.append(Piece(text, Span(at, stop), Quoting.STRING, escaped=escaped))
        at = stop
    return Word(tuple(pieces) or (Piece("", Span(start, start), Quoting.STRING),), Span(start, at))
