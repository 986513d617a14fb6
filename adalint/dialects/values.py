"""What a framework makes of one written value: its loader's conversions, and the expressions of a record."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adalint.schema import FIELDS
from adalint.values import UNKNOWN, Expr, Kleene, Literal

if TYPE_CHECKING:
    from adalint.dialects.record import Record
    from adalint.dialects.tables import Target
    from adalint.values import Value

_WORDS: Final = {"true": True, "false": False}
_EXPONENT: Final = re.compile(r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)[eE][-+]?\d+", re.ASCII)
"""What OmegaConf reads as a number and PyYAML as text."""
_LONGEST: Final = 40
"""No number that anybody writes takes more characters."""


def handed_on(written: Value, field: str, coerces: bool | str) -> Expr:
    """Give what reaches PEFT's field; UNKNOWN where the loader refuses the value itself.

    `coerces` is what a record says of the loader.
    """
    expr = written.expr
    if coerces is False or not isinstance(expr, Literal):
        return expr
    value, facts = expr.value, FIELDS[field]
    if coerces == "exponents":
        return _exponent(written) if facts.numeric else expr
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


def as_number(written: Value, coerces: bool | str) -> Expr:
    """Give what a key holds that PEFT's fields are computed from; UNKNOWN where it holds no number."""
    if coerces == "exponents":
        return _exponent(written)
    expr = written.expr
    if coerces is False or not isinstance(expr, Literal) or not isinstance(expr.value, str):
        return expr
    whole = _number(expr.value.strip(), whole=True)
    if whole is not UNKNOWN:
        return UNKNOWN if coerces == "fractions" else whole
    return _number(expr.value.strip(), whole=False)


def _exponent(written: Value) -> Expr:
    """Read `1e-4` as the number that it is in YAML 1.2, and what stands in quotes as text."""
    expr = written.expr
    if not isinstance(expr, Literal) or expr.value != written.text or not _EXPONENT.fullmatch(written.text):
        return expr
    return Literal(float(written.text.replace("_", ""))) if len(written.text) <= _LONGEST else expr


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


def is_same(found: Any, option: Any) -> bool:
    """Tell whether a written value is one that a record names; text is the same in any case."""
    if isinstance(found, str) and isinstance(option, str):
        return found.lower() == option.lower()
    if isinstance(option, bool) and isinstance(found, str):
        return found.lower() == str(option).lower()
    return type(found) is type(option) and bool(found == option)
