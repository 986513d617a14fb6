"""The recipes of a Makefile as scripts: what make hands to the shell, line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_make_variables import UNKNOWN, Variables, closed, references
from adalint.readers.shell_text import Chunk, ShellText
from adalint.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source

_BARRED: Final = "$#\n"
_LINE: Final = re.compile(rb"(?:[^\n\\]|\\\r?\n|\\.|\\\Z)*(?:\n|\Z)")
_ASSIGNMENT: Final = re.compile(
    rb"[ \t]*(?P<words>(?:(?:export|override|private)[ \t]+)*)(?P<name>[\w.-]+)[ \t]*"
    rb"(?P<operator>[:?+!]{0,3}=)(?P<value>.*)",
    re.DOTALL,
)
_PUT_TOGETHER: Final = b"\0"
_SET_SOMEHOW: Final = re.compile(rb"(?<![\w.\0-])([\w.\0-]+)[ \t]*[:?+!]{0,3}=")
"""A variable of one target, or one whose name is put together."""
_DIRECTIVE: Final = re.compile(rb"[ \t]*(?P<word>ifn?eq|ifn?def|else|endif|include|-include|sinclude)\b")
_DEFINE: Final = re.compile(
    rb"[ \t]*(?:(?:export|override|private)[ \t]+)*(?P<word>define|undefine)\b[ \t]*(?P<name>[^\s=:?+!]*)"
)
_NESTED: Final = re.compile(rb" *(?P<word>define|endef)\b")
_PREFIX: Final = re.compile(rb"[@+ \t-]*")
_SHELLS: Final = re.compile(
    rb"(?:(?:/usr)?(?:/bin/)?(?:env )?(?:ba|da)?sh|\$\(shell (?:which|command -v|type -p) (?:ba|da)?sh\))[ \t\r]*"
)
_EVAL: Final = re.compile(rb"\$[({]eval\b")


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
    is_bash = b"bash" in (make.shell or b"")
    return [ShellText.joined(chunks, _BARRED, is_bash=is_bash) for chunks in groups]


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
        self.variables = Variables()
        self.shell: bytes | None = b"sh"
        self.recipe_lines: list[_Line] = []
        self.sets_anything = _EVAL.search(content) is not None
        self._read()
        if self.sets_anything:
            self.variables.forget()

    def speaks_shell(self) -> bool:
        """Tell whether recipes are run by a shell that adalint reads."""
        if b"SHELL" in self.variables.unclear or self.shell is None:
            return False
        return _SHELLS.fullmatch(self.shell) is not None

    def _read(self) -> None:
        at = depth = defining = 0
        in_recipe = False
        while at < len(self.content):
            match = _LINE.match(self.content, at)
            stop = match.end() if match and match.end() > at else len(self.content)
            start, at = at, stop
            line = self.content[start:stop]
            if defining:
                nested = _NESTED.match(line)
                defining += 0 if nested is None else 1 if nested["word"] == b"define" else -1
            elif in_recipe and line[:1] == b"\t":
                follows = bool(self.recipe_lines) and self.recipe_lines[-1].stop == start
                self.recipe_lines.append(_Line(start, stop, follows))
            elif not line.strip() or line.lstrip().startswith(b"#"):
                continue
            elif directive := _DIRECTIVE.match(line):
                word = directive["word"]
                depth += {b"endif": -1, b"else": 0}.get(word, 1 if word.startswith(b"if") else 0)
                if b"include" in word:
                    self.variables.forget()
                    in_recipe = False
            elif define := _DEFINE.match(line):
                self.variables.unclear.add(define["name"])
                defining = int(define["word"] == b"define")
            elif assignment := _ASSIGNMENT.match(line.removesuffix(b"\n")):
                self._assign(assignment, sure=depth == 0)
                in_recipe = False
            else:
                in_recipe = self._rule(start, stop)

    def _assign(self, match: re.Match[bytes], *, sure: bool) -> None:
        name = match["name"]
        if name == b"SHELL":
            self.shell = match["value"].strip() if match["operator"] in {b"=", b":=", b"::="} else None
        if sure and b"private" not in match["words"]:
            self.variables.assign(name, match["operator"], match["value"])
        else:
            self.variables.unclear.add(name)

    def _rule(self, start: int, stop: int) -> bool:
        """Read the line of a target; tell whether a recipe can follow."""
        recipe = self._inline(start, stop)
        names = _SET_SOMEHOW.findall(self._without_references(start, stop if recipe is None else recipe - 1))
        if not names:
            self.recipe_lines += [] if recipe is None else [_Line(recipe, stop, follows=False)]
            return True
        self.variables.unclear.update(names)
        self.sets_anything = self.sets_anything or any(_PUT_TOGETHER in name for name in names)
        return False

    def _without_references(self, at: int, stop: int) -> bytes:
        pieces: list[bytes] = []
        for one in references(self.content, at, stop):
            pieces += (self.content[at : one.start], _PUT_TOGETHER)
            at = one.stop
        return b"".join([*pieces, self.content[at:stop]])

    def _inline(self, at: int, stop: int) -> int | None:
        """Find the recipe that stands on the line of its target, behind `;`."""
        has_target = False
        while at < stop:
            one = self.content[at : at + 1]
            if one == b"\\":
                at += 1
            elif one == b"$" and self.content[at + 1 : at + 2] in {b"(", b"{"}:
                at = closed(self.content, at + 1, stop) - 1
            elif one == b"#":
                return None
            elif one == b";":
                return at + 1 if has_target else None
            has_target = has_target or one == b":"
            at += 1
        return None

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
        for one in references(self.content, at, stop):
            if one.start > at:
                yield Chunk(self.content[at : one.start], Span(at, one.start))
            text = b"$" if one.is_dollar else None if one.name is None else self.variables.value(one.name)
            yield Chunk(UNKNOWN if text is None else text, Span(one.start, one.stop), plain=False)
            at = one.stop
        if stop > at:
            yield Chunk(self.content[at:stop], Span(at, stop))
