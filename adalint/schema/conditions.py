"""What the facts of several fields share: when a value is wrong, and how PEFT fails then."""

from __future__ import annotations

import re
from typing import Any, Final

from adalint.schema.facts import EVERY_RELEASE, Failure, Stage, Use

IGNORED: Final = ((EVERY_RELEASE, Use.IGNORED),)
METADATA: Final = ((EVERY_RELEASE, Use.METADATA),)
WRAP, CONSTRUCTION, FORWARD = Stage.WRAP, Stage.CONSTRUCTION, Stage.FORWARD
FIRST_MASK, STEP, SAVE = Stage.FIRST_MASK, Stage.STEP, Stage.SAVE


def is_number(value: object) -> bool:
    """Tell whether PEFT can calculate with a value, and not iterate over it; a bool counts as 0 or 1 there."""
    return isinstance(value, int | float)


def is_bad_pattern(value: object) -> bool:
    """Tell whether a value is a string, and no valid regular expression."""
    if not isinstance(value, str):
        return False
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError):
        return True
    return False


def has_bad_pattern(value: object) -> bool:
    """Tell whether a key of a mapping fails where PEFT makes a regular expression of it."""
    return isinstance(value, dict) and any(is_bad_pattern(rf"(.*\.)?({key})$") for key in value)


def is_unhashable(value: object) -> bool:
    """Tell whether a value is a list that no set can be made of."""
    return isinstance(value, list) and any(isinstance(item, list | dict | set) for item in value)


def names_in(value: object) -> tuple[Any, ...]:
    """List what a collection holds; a string is one pattern, and no collection."""
    return tuple(value) if isinstance(value, list | tuple | set) else ()


def no_number(name: str, stage: Stage, order: int, *, peft: str = EVERY_RELEASE) -> Failure:
    """Give the failure of a field that PEFT calculates with."""
    return Failure(
        stage,
        "TypeError",
        lambda v: not is_number(v[name]),
        f"{name} is not a number",
        f"write {name} as a number, without quotes",
        order,
        peft,
    )
