"""The recipes of a Makefile as scripts: what make hands to the shell, line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_text import Chunk, ShellText
from adalint.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source

_BARRED: Final = "$#\n"
_UNKNOWN: Final = b"${_}"
"""A variable of the shell that nobody knows."""

_LINE: Final = re.compile(rb"(?:[^\n\\]|\\\r?\n|\\.|\\\Z)*(?:\n|\Z)")
_ASSIGNMENT: Final = re.compile(
    rb" *(?:(?:export|override|private)[ \t]+)*(?P<name>[\w.-]+)[ \t]*(?P<operator>[:?+!]{0,3}=)[ \t]*(?P<value>[^\n]*)"
)
_OF_TARGET: Final = re.compile(
    rb"[^\t#=\n][^#=\n]*:[ \t]*(?:(?:export|override|private)[ \t]+)*(?P<name>[\w.-]+)[ \t]*[:?+!]{0,3}="
)
_CONDITION: Final = re.compile(rb" *(?P<word>ifn?eq|ifn?def|endif|define|endef|include|-include|sinclude)\b")
_PREFIX: Final = re.compile(rb"[@+ \t-]*")
_REFERENCE: Final = re.compile(rb"\$(?:\$|\((?P<round>[\w.-]+)\)|\{(?P<curly>[\w.-]+)\}|(?P<open>[({])|(?P<one>[^\s]))")
_SHELLS: Final = re.compile(rb"(?:/usr)?(?:/bin/)?(?:env )?(?:ba|da)?sh[ \t\r]*")


def recipes_of(source: Source) -> list[ShellText]:
    """Give each line of a recipe that a shell of its own runs; with `.ONESHELL`, each recipe."""
    make = _Makefile(source.content)
    if b".RECIPEPREFIX" in source.content or not make.speaks_shell():
        return []
    groups: list[list[Chunk]] = []
    for line in make.recipe_lines:
        chunks = list(make.chunks(line))
        if groups and make.one_shell and line.follows:
            groups[-1] += chunks
        else:
            groups.append(chunks)
    return [ShellText.joined(chunks, _BARRED) for chunks in groups]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a recipe with those by which it goes on; `follows` says that it stands directly below another."""

    start: int
    stop: int
    follows: bool


class _Makefile:
    """A Makefile as far as its variables and recipes."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.one_shell = re.search(rb"^\.ONESHELL[ \t]*:", content, re.MULTILINE) is not None
        self.variables: dict[bytes, bytes | None] = {}
        self.recipe_lines: list[_Line] = []
        self._read()

    def speaks_shell(self) -> bool:
        """Tell whether recipes are run by a shell that adalint reads."""
        shell = self.variables.get(b"SHELL", b"sh")
        return shell is not None and _SHELLS.fullmatch(shell) is not None

    def _read(self) -> None:
        at = depth = 0
        in_recipe = False
        defining = False
        included = False
        while at < len(self.content):
            match = _LINE.match(self.content, at)
            stop = match.end() if match and match.end() > at else len(self.content)
            line = self.content[at:stop]
            condition = _CONDITION.match(line)
            assignment = _ASSIGNMENT.match(line)
            word = condition["word"] if condition else b""
            if defining:
                defining = word != b"endef"
            elif line[:1] == b"\t":
                if in_recipe or not assignment:
                    follows = bool(self.recipe_lines) and self.recipe_lines[-1].stop == at
                    self.recipe_lines.append(_Line(at, stop, follows))
            elif condition:
                depth += {b"endif": -1}.get(word, 1 if word.startswith(b"if") else 0)
                defining = word == b"define"
                included = included or b"include" in word
            elif assignment and b":" not in assignment["name"]:
                self._assign(assignment, sure=depth == 0 and not included)
            elif line.strip() and not line.lstrip().startswith(b"#"):
                own = _OF_TARGET.match(line)
                if own:
                    self.variables[own["name"]] = None
                else:
                    begin = self._inline(at, stop)
                    self.recipe_lines += [] if begin is None else [_Line(begin, stop, follows=False)]
                in_recipe = True
            at = stop
        if included:
            self.variables = dict.fromkeys(self.variables)

    def _inline(self, at: int, stop: int) -> int | None:
        """Find the recipe that stands on the line of its target, behind `;`."""
        has_target = False
        while at < stop:
            one = self.content[at : at + 1]
            if one == b"\\":
                at += 1
            elif one == b"$" and self.content[at + 1 : at + 2] in {b"(", b"{"}:
                at = self._closed(at + 1, stop) - 1
            elif one == b"#":
                return None
            elif one == b";":
                return at + 1 if has_target else None
            has_target = has_target or one == b":"
            at += 1
        return None

    def _assign(self, match: re.Match[bytes], *, sure: bool) -> None:
        name, operator, value = match["name"], match["operator"], match["value"]
        plain = b"$" not in value and b"#" not in value and b"\\" not in value
        known = sure and plain and operator in {b"=", b":=", b"::="} and name not in self.variables
        self.variables[name] = value.strip() if known else None

    def chunks(self, line: _Line) -> Iterator[Chunk]:
        """Give what the shell reads of a line: without its tabs and marks, make's variables filled in."""
        prefix = _PREFIX.match(self.content, line.start, line.stop)
        at = prefix.end() if prefix else line.start
        while at < line.stop:
            stop = self.content.find(b"\\\n\t", at, line.stop)
            stop = line.stop if stop < 0 else stop + 2
            yield from self._filled(at, stop)
            at = stop + 1

    def _filled(self, at: int, stop: int) -> Iterator[Chunk]:
        while at < stop:
            match = _REFERENCE.search(self.content, at, stop)
            start = match.start() if match else stop
            if start > at:
                yield Chunk(self.content[at:start], Span(at, start))
            if match is None:
                return
            end = match.end() if match["open"] is None else self._closed(match.end() - 1, stop)
            name = match["round"] or match["curly"]
            text = b"$" if match[0] == b"$$" else self.variables.get(name) if name else None
            yield Chunk(_UNKNOWN if text is None else text, Span(start, end), plain=False)
            at = end

    def _closed(self, at: int, stop: int) -> int:
        opening = self.content[at : at + 1]
        closing = {b"(": b")", b"{": b"}"}[opening]
        depth = 0
        for index in range(at, stop):
            one = self.content[index : index + 1]
            depth += (one == opening) - (one == closing)
            if depth == 0:
                return index + 1
        return stop
