"""One code cell of a notebook: its text, how the JSON writes that, and how an edit changes what is written."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeAlias

from adalint.readers.json_reader import STRING

if TYPE_CHECKING:
    from collections.abc import Sequence

UNIT: Final = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ESCAPED: Final = re.compile(r"\\u(?:00[89a-fA-F]|0[1-9a-fA-F]|[1-9a-fA-F])")
_WIDE: Final = re.compile(r"[^\x00-\x7f]")
_UPPER: Final = re.compile(r"\\u[0-9]*[A-F]")


def style_of(text: str) -> Style | None:
    """Tell how a notebook is written by a text of it; None when that does not show it."""
    if _WIDE.search(text):
        return PLAIN
    return Style(escapes=True, upper=_UPPER.search(text) is not None) if _ESCAPED.search(text) else None


@dataclass(frozen=True, slots=True)
class Style:
    """How a notebook writes what is not ASCII: by an escape or as it is, and with which letters in an escape."""

    escapes: bool
    upper: bool

    def write(self, character: str) -> str:
        """Write one character between double quotes."""
        written = json.dumps(character, ensure_ascii=self.escapes)[1:-1]
        return re.sub(r"(?<=\\u)....", lambda match: match[0].upper(), written) if self.upper else written


PLAIN: Final = Style(escapes=False, upper=False)

CharEdit: TypeAlias = tuple[int, int, str]
"""A range of characters of a cell's text, and what is to stand there."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Edits that belong together, and the first and last of the strings that they touch."""

    first: int
    last: int
    edits: tuple[CharEdit, ...]


@dataclass(frozen=True)
class Cell:
    """A code cell: its number among all cells, from 1, and the JSON of its source, a string or a list of strings."""

    number: int
    raw: str

    @cached_property
    def strings(self) -> list[tuple[int, int]]:
        """Where the strings stand in `raw`, between their quotes."""
        return [(match.start() + 1, match.end() - 1) for match in STRING.finditer(self.raw)]

    @cached_property
    def texts(self) -> list[str]:
        """What the strings say; half of a surrogate pair, which is no text, shows as `?`."""
        return [_SURROGATE.sub("?", json.loads(f'"{self.raw[start:stop]}"')) for start, stop in self.strings]

    @cached_property
    def text(self) -> str:
        """The source of the cell."""
        return "".join(self.texts)

    def units(self, index: int) -> list[str]:
        """Give the characters of one string, each as it is written."""
        start, stop = self.strings[index]
        written = self.raw[start:stop]
        return UNIT.findall(written) if "\\" in written else list(written)

    @cached_property
    def _forms(self) -> dict[str, str]:
        """How the cell writes each character of it."""
        return {
            character: form
            for index, text in enumerate(self.texts)
            for character, form in zip(text, self.units(index), strict=True)
            if character != "?" or form == "?"
        }

    def at(self, place: int) -> int:
        """Tell where in `raw` a character of the text stands; the end of the text is the end of the last string."""
        for index, ((start, _), text) in enumerate(zip(self.strings, self.texts, strict=True)):
            if place < len(text) or index == len(self.texts) - 1:
                return start + sum(map(len, self.units(index)[:place]))
            place -= len(text)
        return 1

    def apply(self, edits: Sequence[CharEdit], style: Style) -> Cell:
        """Replace characters of the text by others; `edits` are in order, and do not overlap.

        In a list, each string stays one line: a new line is a new string, set apart as the others are.
        """
        if not self.strings:
            text = "".join(text for _, _, text in edits)
            written = '", "'.join(_lines(text, self._write(text, style)))
            return replace(self, raw=f'["{written}"]') if text else self
        pieces: list[str] = []
        done = 0
        for group in self._groups(edits):
            characters, forms = self._edited(group, style)
            start, stop = self.strings[group.first][0], self.strings[group.last][1]
            lines = _lines(characters, forms) if self._is_lines else ["".join(forms)]
            if not characters and group.last + 1 < len(self.strings):
                stop = self.strings[group.last + 1][0]
            elif not characters and group.first:
                start = self.strings[group.first - 1][1]
            inner = range(group.first, group.last)
            gaps = [self.raw[self.strings[index][1] : self.strings[index + 1][0]] for index in inner]
            gaps = [*gaps, *[self._gap] * len(lines)][: len(lines) - 1]
            pieces += (
                self.raw[done:start],
                *(piece for pair in zip(lines, [*gaps, ""], strict=True) for piece in pair),
            )
            done = stop
        return replace(self, raw="".join([*pieces, self.raw[done:]]))

    def _groups(self, edits: Sequence[CharEdit]) -> list[_Group]:
        """Part the edits by the strings that they touch; a line that loses its end takes the next along."""
        ends = list(accumulate(map(len, self.texts)))
        groups: list[_Group] = []
        for edit in edits:
            start, stop, _ = edit
            first = min(bisect_right(ends, start), len(ends) - 1)
            last = max(first, bisect_right(ends, stop - 1)) if stop > start else first
            group = _Group(first, last, (edit,))
            if groups and groups[-1].last + 1 >= first:
                former = groups.pop()
                group = _Group(former.first, max(former.last, last), (*former.edits, edit))
            while self._is_lines and group.last + 1 < len(ends):
                characters, _ = self._edited(group, None)
                if not characters or characters[-1] == "\n":
                    break
                group = replace(group, last=group.last + 1)
            groups.append(group)
        return groups

    def _edited(self, group: _Group, style: Style | None) -> tuple[list[str], list[str]]:
        """Give the characters of some strings after the edits, and how each is written; without a style, only those."""
        touched = range(group.first, group.last + 1)
        offset = sum(map(len, self.texts[: group.first]))
        characters = list("".join(self.texts[group.first : group.last + 1]))
        forms = [form for index in touched for form in self.units(index)] if style else list(characters)
        for start, stop, text in reversed(group.edits):
            place = slice(start - offset, stop - offset)
            characters[place] = text
            forms[place] = self._write(text, style) if style else list(text)
        return characters, forms

    @cached_property
    def _is_lines(self) -> bool:
        """Whether the source is a list whose strings are a line each, as Jupyter writes it."""
        *lines, last = self.texts
        ended = all(text.find("\n") == len(text) - 1 for text in lines)
        return self.raw[:1] == "[" and ended and "\n" not in last[:-1]

    @property
    def _gap(self) -> str:
        """What stands between two strings, quotes included."""
        if len(self.strings) > 1:
            return self.raw[self.strings[0][1] : self.strings[1][0]]
        blank = self.raw[1 : self.strings[0][0] - 1]
        return f'",{blank or " "}"'

    def _write(self, text: str, style: Style) -> list[str]:
        return [self._forms.get(one) or style.write(one) for one in text]


def _lines(characters: Sequence[str], forms: Sequence[str]) -> list[str]:
    ends = [index + 1 for index, character in enumerate(characters[:-1]) if character == "\n"]
    return ["".join(forms[start:stop]) for start, stop in zip([0, *ends], [*ends, len(forms)], strict=True)]
