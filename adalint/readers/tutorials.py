"""Names that a block of a tutorial has from the blocks beside it: what those import."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from adalint.embedded import Embedded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.source import Source


def imported_beside(source: Source) -> Mapping[str, str]:
    """Give the paths of names that other Python blocks of the same Markdown file import, where they agree.

    Other names do not flow: a block may show the wrong way, and the next the right one.
    """
    return _imports(source.beside) if isinstance(source, Embedded) else {}


@lru_cache(maxsize=64)
def _imports(blocks: tuple[bytes, ...]) -> Mapping[str, str]:
    found: dict[str, set[str]] = {}
    for block in blocks:
        for node in _top_level(block):
            match node:
                case ast.Import(names=names):
                    for one in names:
                        bound = one.asname or one.name.partition(".")[0]
                        found.setdefault(bound, set()).add(one.name if one.asname else bound)
                case ast.ImportFrom(module=str(module), names=names, level=0):
                    for one in names:
                        found.setdefault(one.asname or one.name, set()).add(f"{module}.{one.name}")
    return {name: paths.pop() for name, paths in found.items() if len(paths) == 1}


def _top_level(block: bytes) -> list[ast.stmt]:
    if b"import" not in block:
        return []
    try:
        return ast.parse(block).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
