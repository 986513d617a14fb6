"""What a fix does to a configuration, free of any syntax.

A rule page lists operations; `adalint.fixes.python`, `json` and `yaml` turn them into edits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
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


Operation: TypeAlias = Set | Remove | Rename | Swap | Note


class Unplaceable(Exception):
    """The operations cannot be placed exactly; the message says why."""
