"""A schedule as a small chart of text: the ranks in use, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.schedule import Schedule

HEIGHT: Final = 6
NARROWEST: Final = 20

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_ASCII_BLOCKS: Final = "    ::::#"
_AXIS: Final = "─┴✗"
_ASCII_AXIS: Final = "-+X"

PLAIN: Final = str.maketrans({"–": "-", "×": "x", "→": "->", "…": "...", "−": "-"})
"""What the texts of a plan hold beyond ASCII, for an output that cannot show it."""


def chart(schedule: Schedule, width: int, *, failing_step: int | None = None, ascii_only: bool = False) -> list[str]:
    """Draw the ranks that each step has in use, averaged over modules, in lines of at most `width` columns.

    A column stands for the first of its steps; what comes after `failing_step` is left blank.
    """
    blocks, axis = (_ASCII_BLOCKS, _ASCII_AXIS) if ascii_only else (_BLOCKS, _AXIS)
    top = max(schedule.init_r, schedule.target_r)
    label = f"{top:,.4g}"
    columns = _columns(schedule, max(NARROWEST, width - len(label) - 1))
    crash = None if failing_step is None else _column_of(failing_step, columns)
    eighths = [
        _eighths(float(schedule.left(step) / schedule.modules), float(top)) if crash is None or at <= crash else 0
        for at, step in enumerate(columns)
    ]
    lines = []
    for row in reversed(range(HEIGHT)):
        name = label if row == HEIGHT - 1 else ""
        bars = "".join(blocks[min(8, max(0, height - 8 * row))] for height in eighths)
        lines.append(f"{name:>{len(label)}} {bars}".rstrip())
    turns = [phase.first for phase in schedule.phases[1:] if phase.length and phase.first > schedule.first]
    marks = {_column_of(turn, columns): axis[1] for turn in turns}
    steps = {0: schedule.first, len(columns) - 1: schedule.last, **{_column_of(turn, columns): turn for turn in turns}}
    if crash is not None and failing_step is not None:
        marks[crash], steps[crash] = axis[2], failing_step
    ruler = "".join(marks.get(at, axis[0]) for at in range(len(columns)))
    lines.append(f"{0:>{len(label)}} {ruler}")
    kept = [crash] if crash is not None else []
    lines.append(f"{'':>{len(label)}} {_numbers(steps, kept, len(columns))}".rstrip())
    return lines


def _columns(schedule: Schedule, width: int) -> Sequence[int]:
    """Choose the step that each column stands for; a short run gives every step several columns."""
    size = schedule.last - schedule.first + 1
    number = size * (width // size) if size < width else width
    return [schedule.first + at * size // number for at in range(number)]


def _column_of(step: int, columns: Sequence[int]) -> int:
    """Find the column that a step falls into, the first one where several do."""
    latest = max((first for first in columns if first <= step), default=columns[0])
    return columns.index(latest)


def _eighths(value: float, top: float) -> int:
    if value <= 0 or top <= 0:
        return 0
    return max(1, round(value / top * HEIGHT * 8))


def _numbers(steps: dict[int, int], wanted: Sequence[int], width: int) -> str:
    """Write numbers below their columns, those that matter most first; one that finds no room is left out."""
    line = [" "] * width
    taken = [False] * width
    for at in dict.fromkeys((*wanted, 0, width - 1, *sorted(steps))):
        text = f"{steps[at]:,}"
        start = max(0, min(at, width - len(text)))
        stop = start + len(text)
        if stop <= width and not any(taken[max(0, start - 1) : stop + 1]):
            line[start:stop] = text
            taken[start:stop] = [True] * len(text)
    return "".join(line)
