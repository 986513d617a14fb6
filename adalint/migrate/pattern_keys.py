r"""Keys for LoRA's `rank_pattern` that find exactly the modules that they are meant for.

PEFT from 0.15 on looks for the first key with `re.match(rf"(.*\.)?({key})$", path)`. Releases before look for
`re.match(rf".*\.{key}$", path)` and then for the path itself, so that a plain path serves them too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def pattern_keys(paths: Sequence[str]) -> dict[str, str]:
    """Give each path its key: the path itself where that finds no other path, else an anchored one (PEFT 0.15)."""
    tails: dict[int, list[tuple[str, str]]] = {}
    for path in paths:
        for tail in _tails(path):
            tails.setdefault(len(tail), []).append((tail, path))
    return {path: path if _is_plain(path, tails.get(len(path), ())) else f"^{re.escape(path)}" for path in paths}


def _tails(path: str) -> Iterable[str]:
    """Give a path, and what follows each of its dots."""
    yield path
    while "." in path:
        path = path.partition(".")[2]
        yield path


def _is_plain(path: str, tails: Iterable[tuple[str, str]]) -> bool:
    if re.fullmatch(r"[\w.]+", path) is None:
        return False
    dots = path.count(".")
    pattern = re.compile(path)
    return not any(
        whole != path and (tail == path or (tail.count(".") < dots and pattern.fullmatch(tail)))
        for tail, whole in tails
    )
