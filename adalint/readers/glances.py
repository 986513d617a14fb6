"""A glance at a file near a text: whether it holds what is looked for. A file is read once until it changes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import re
    from pathlib import Path

MOST_FILES: Final = 500
"""So many files around a text are glanced at."""

LARGEST: Final = 2_000_000
"""A file of more bytes is no script that somebody wrote."""


def holds(path: Path, sign: re.Pattern[bytes]) -> bool:
    """Tell whether a file holds what a pattern finds; one that cannot be read, or is too large, does not."""
    try:
        status = path.stat()
        return path.is_file() and status.st_size <= LARGEST and _holds(path, sign, status.st_mtime_ns, status.st_size)
    except OSError:
        return False


@lru_cache(maxsize=8192)
def _holds(path: Path, sign: re.Pattern[bytes], _changed: int, _size: int) -> bool:
    """Look into a file, as it was when it was last changed."""
    return sign.search(path.read_bytes()) is not None
