"""The text of `adalint.hf.AdaLoraCallback`, for scripts that are to carry it themselves."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

CALLBACK: Final = "AdaLoraCallback"


@dataclass(frozen=True, slots=True)
class CallbackText:
    """A class to insert, and the import statements that it needs, one per line and in their order."""

    imports: tuple[str, ...]
    source: str
    """From `class` to its last line, with a line break at the end."""


@cache
def callback_text() -> CallbackText:
    """Read the class from the text of `adalint/hf.py`; transformers need not be there."""
    text = files("adalint").joinpath("hf.py").read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)

    def lines_of(node: ast.stmt) -> str:
        return "".join(lines[node.lineno - 1 : node.end_lineno])

    body = ast.parse(text).body
    [source] = (lines_of(node) for node in body if isinstance(node, ast.ClassDef) and node.name == CALLBACK)
    imports = (lines_of(node).strip() for node in body if isinstance(node, ast.Import | ast.ImportFrom))
    return CallbackText(tuple(imports), source)
