"""The examples of the rule pages: fenced blocks under `## Bad`, `## Fixed` and `## Good`.

A block's info string is its language and `key=value` words: `line` is where the finding stands, `file` the file's name,
`bad` and `fix` say which Bad block and which of its fixes a Fixed block shows (both from 1), `transformers` which release
of that package is pinned, `weights` which ranks the tensors beside an adapter's configuration have.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from loop_runs import RULES_OF_LOOPS
from safetensors.numpy import save_file

from adalint.rulebook.pages import load
from adalint.source import Source, kind_of

if TYPE_CHECKING:
    from adalint.rulebook.pages import Rule

OF_LOOPS = RULES_OF_LOOPS - {"ADA314"} | {"ADA422"}
"""Rules of which no configuration alone shows anything; the scripts of ``tests/loops`` are run to show it."""

_SECTION = re.compile(r"^## (\w[\w ]*)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SUFFIX = {"python": ".py", "json": ".json", "yaml": ".yaml", "bash": ".sh"}


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
        """The block as the file that it stands for, with the weights beside it that its info string asks for."""
        kind = kind_of(self.file)
        assert kind is not None
        path = self.file if "weights" not in self.words else _with_weights(self.text, self.file, self.words["weights"])
        return Source.decode(path, kind, self.text.encode())

    def __str__(self) -> str:
        return f"{self.rule.code}-{self.section}-{self.number}"


@cache
def _with_weights(text: str, file: str, weights: str) -> str:
    """Write a configuration and an `adapter_model.safetensors` with these ranks, `module:rank,…`, and name the former."""
    folder = tempfile.mkdtemp(prefix="adalint-example-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tensors = {}
    for module, rank in (one.split(":") for one in weights.split(",")):
        prefix = f"base_model.model.{module}.lora_"
        r = int(rank)
        tensors |= {f"{prefix}A": np.ones((r, 6)), f"{prefix}E": np.ones((r, 1)), f"{prefix}B": np.ones((6, r))}
    save_file(tensors, f"{folder}/adapter_model.safetensors")
    path = f"{folder}/{file}"
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


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
