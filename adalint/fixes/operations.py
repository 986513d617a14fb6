"""What a fix does to a configuration, free of any syntax.

A rule page lists operations; `adalint.fixes.place` has them turned into edits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from adalint.source import Span
    from adalint.training import Handed
    from adalint.values import Expr


@dataclass(frozen=True, slots=True)
class Set:
    """Give a field this value, adding the field when it is absent; `after` names the field to stand behind.

    `text` is the value as it is to be written, valid in Python, JSON and YAML alike (a number, or a Python expression).
    """

    field: str
    text: str
    expr: Expr
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Take the field away, with the comment that belongs to it."""

    field: str


@dataclass(frozen=True, slots=True)
class RemoveEarlier:
    """Of a field that is written several times in one mapping, leave only the last, which counts."""

    field: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Take items out of the field's list, which keeps at least one."""

    field: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """Call the field by another name, its value untouched."""

    field: str
    to: str


@dataclass(frozen=True, slots=True)
class Swap:
    """Exchange the values of two written fields."""

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Note:
    """Put a comment at the end of the line on which the field's value ends (Python and YAML)."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class RenameHook:
    """Give a method the name of another hook; `counter` is the number in it that is to be raised by one."""

    word: Span
    to: str
    counter: Span | None = None


@dataclass(frozen=True, slots=True)
class AddCallback:
    """Put the callback that allocates into the file, and into the call that makes the Trainer.

    `given` are the arguments that it is made with.
    """

    built: Span
    given: str = ""


@dataclass(frozen=True, slots=True)
class InsertCall:
    """Put a statement directly below another one, which `after` covers; under a condition, where there is a `gate`.

    `counter` is a variable that the statement needs and the file lacks: it is set to 0 above the statement that `above`
    covers, and raised below the new one, under `boundary`, where that is another condition than `gate`. Where it is
    `handed` to the function, it is an iterator, which the statement itself raises.
    """

    text: str
    after: Span
    gate: str | None = None
    counter: str | None = None
    above: Span | None = None
    boundary: str | None = None
    handed: Handed | None = None


@dataclass(frozen=True, slots=True)
class MoveCall:
    """Put a statement directly below another one of its block."""

    statement: Span
    after: Span


@dataclass(frozen=True, slots=True)
class DropGuard:
    """Free a call of a condition: of the whole `if`, or of one operand of its `and`."""

    call: Span
    statement: Span
    part: Span


LoopOperation: TypeAlias = InsertCall | MoveCall | DropGuard
Operation: TypeAlias = (
    Set | Remove | RemoveEarlier | Drop | Rename | Swap | Note | RenameHook | AddCallback | LoopOperation
)


class Unplaceable(Exception):
    """The operations cannot be placed exactly; the message says why."""
