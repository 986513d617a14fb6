"""What a framework makes of one written value: its loader's conversions, and the expressions of a record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.schema import FIELDS
from adalint.values import UNKNOWN, Expr, Kleene, Literal

if TYPE_CHECKING:
    from adalint.dialects.record import Record, Target

_WORDS: Final = {"true": True, "false": False}
_LONGEST: Final = 40
"""No number that anybody writes takes more characters."""


def handed_on(expr: Expr, field: str, coerces: bool | str) -> Expr:
    """Give what reaches PEFT's field; UNKNOWN where the loader refuses the value itself.

    `coerces` is what a record says of the loader.
    """
    if coerces is False or not isinstance(expr, Literal):
        return expr
    value, facts = expr.value, FIELDS[field]
    if isinstance(value, str):
        if value.lower() in _WORDS and "bool" in facts.kinds:
            return Literal(_WORDS[value.lower()])
        if facts.numeric:
            whole = facts.kinds == {"int"}
            return UNKNOWN if whole and coerces == "fractions" else _number(value.strip(), whole=whole)
        return expr
    if facts.numeric and (value is None or isinstance(value, bool)):
        return UNKNOWN
    if facts.kinds == {"int"} and isinstance(value, float):
        return UNKNOWN
    return expr


def _number(text: str, *, whole: bool) -> Expr:
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        return UNKNOWN
    return Literal(number) if len(text) <= _LONGEST and math.isfinite(number) else UNKNOWN


@dataclass(frozen=True, slots=True)
class _Known:
    """The facts of a record's expressions: `value` and the fields, nothing else."""

    values: dict[str, Expr]

    def value(self, name: str) -> Expr:
        return self.values.get(name, UNKNOWN)

    def given(self, name: str) -> Kleene:
        return name in self.values

    def release_is(self, comparison: str, release: str) -> bool:
        return False


def translated(expr: Expr, target: Target, others: dict[str, Expr]) -> Expr:
    """Compute what a key becomes by the expression of its target: a ratio of the run becomes steps."""
    condition = target.expression
    if condition is None:
        return expr
    return condition.evaluate(_Known({**others, "value": expr}))


def is_refused(expr: Expr, field: str, record: Record) -> bool:
    """Tell whether the framework refuses a value before PEFT sees it."""
    condition = record.refuses.get(field)
    return condition is not None and holds_of(condition, field, expr)


def holds_of(condition: str, field: str, expr: Expr) -> bool:
    """Tell whether a condition over one field certainly holds of its value."""
    from adalint.rulebook.language import parse

    return isinstance(expr, Literal) and parse(condition).holds(_Known({field: expr})) is True
