"""A row of numbers as one line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKS: Final = "▁▂▃▄▅▆▇█"
PLAIN: Final = "_.-=+*%#"
"""The same heights where an encoding has no blocks."""


def sparkline(numbers: Sequence[float], top: float, *, plain: bool = False) -> str:
    """Draw each number as a column, the lowest for 0 or less and the highest for `top` or more.

    Raises:
        ValueError: `top` is not above 0, or no finite number.
    """
    if not 0 < top < float("inf"):
        raise ValueError(f"no scale ends at {top}")
    heights = PLAIN if plain else BLOCKS
    highest = len(heights) - 1
    return "".join(heights[max(0, min(highest, round(number / top * highest)))] for number in numbers)


def shows_blocks(encoding: str | None) -> bool:
    """Tell whether an encoding has the blocks."""
    try:
        BLOCKS.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
