"""The examples of the rule pages: fenced blocks under `## Bad`, `## Fixed` and `## Good`.

A block's info string is its language and `key=value` words: `line` is where the finding stands, `file` the file's name,
`bad` and `fix` say which Bad block and which of its fixes a Fixed block shows (both from 1), `transformers` which release
of that package is pinned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loop_runs import RULES_OF_LOOPS

from adalint.rulebook.pages import load
from adalint.source import Source, kind_of

if TYPE_CHECKING:
    from adalint.rulebook.pages import Rule

OF_LOOPS = RULES_OF_LOOPS - {"ADA314"} | {"ADA422"}
"""Rules of which no configuration alone shows anything; the scripts of ``tests/loops`` are run to show it."""

_SECTION = re.compile(r"^## (\w[\w ]*)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SUFFIX = {"python": ".py", "json": ".json", "yaml": ".yaml"}


@dataclass(frozen=True, slots=True)
class Example:
    """One block of a rule page."""

    rule: Rule
    section: str
    number: int
    text: str
    file: str
    words: dict[str, str]

    @property
    def source(self) -> Source:
        """The block as the file that it stands for."""
        kind = kind_of(self.file)
        assert kind is not None
        return Source.decode(self.file, kind, self.text.encode())

    def __str__(self) -> str:
        return f"{self.rule.code}-{self.section}-{self.number}"


def examples_of(rule: Rule) -> list[Example]:
    """Read all examples of one page, in order."""
    parts = _SECTION.split(rule.body)
    found = []
    for section, text in zip(parts[1::2], parts[2::2], strict=True):
        for number, match in enumerate(_BLOCK.finditer(text), start=1):
            language, info, body = match.groups()
            words = dict(word.split("=", 1) for word in info.split())
            file = words.get("file", f"example{_SUFFIX[language]}")
            found.append(Example(rule, section, number, body, file, words))
    return found


EXAMPLES = [example for rule in load().rules.values() for example in examples_of(rule)]


def section(name: str) -> list[Example]:
    """Give the examples of one section of all pages."""
    return [example for example in EXAMPLES if example.section == name]


def bad_of(fixed: Example) -> Example:
    """Give the Bad block that a Fixed block mends."""
    number = int(fixed.words["bad"])
    return next(one for one in section("Bad") if one.rule is fixed.rule and one.number == number)
