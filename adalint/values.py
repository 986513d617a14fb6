"""What can be known of a value without running anything: a literal, a small symbolic expression, or nothing.

Most real configurations are symbolic (`total_step=len(loader) * epochs`, `r=args.rank`). Equal names are equal values,
so rules can still compare them; what cannot be decided is UNKNOWN, and UNKNOWN keeps a rule silent.
"""

from __future__ import annotations

import ast
import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adalint.source import Span

MAX_BITS: Final = 256
"""A folded integer may not grow beyond this many bits: `9**9**9` stays unknown."""


class Unknown:
    """The one value of which nothing is known."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("UNKNOWN is neither true nor false; compare with `is True`, `is False` or `is UNKNOWN`")


UNKNOWN: Final = Unknown()

Kleene: TypeAlias = bool | Unknown
"""A truth value of three-valued logic."""

Number: TypeAlias = int | float


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is known: None, a number, a string, or a list or dict of them."""

    value: Any


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name, or another expression that gives the same value each time it stands in the same place: `args.rank`.

    `origin` is where the name got its value, so that a name that is assigned anew is another symbol.
    """

    text: str
    origin: int = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or one of `max min round int ceil floor abs` over expressions."""

    name: str
    operands: tuple[Expr, ...]


Expr: TypeAlias = Literal | Symbol | Operation | Unknown


@dataclass(frozen=True, slots=True)
class Value:
    """One written field of a configuration.

    `expr` is what is known of it, `text` how it is written; `span` covers the value, `key_span` its keyword or key.
    `shared` says that the bytes feed other places too (a YAML anchor, a dict built elsewhere), so that no edit may
    touch them; `home` is the call or dict that the field is written in, where Python writes it in several. `given` is
    UNKNOWN when the field is written only on some ways through the program.
    """

    expr: Expr
    span: Span
    key_span: Span
    text: str
    shared: bool = False
    given: Kleene = True
    home: Span | None = None
    pure: bool = True
    """Whether evaluating it does nothing else, so that it may be left out or written elsewhere."""


def _power(base: Number, exponent: Number) -> Number:
    if abs(exponent) > MAX_BITS or (isinstance(base, int) and base.bit_length() > MAX_BITS):
        raise OverflowError
    result: Number = base**exponent
    return result


OPERATORS: Final[Mapping[str, Callable[..., Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": _power,
    "neg": operator.neg,
    "max": max,
    "min": min,
    "round": round,
    "int": int,
    "ceil": math.ceil,
    "floor": math.floor,
    "abs": abs,
}


BINARY: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
"""Python's operators by the names that `operate` knows them by."""

FUNCTIONS_OF_NUMBERS: Final = frozenset(name for name in OPERATORS if name.isalpha() and name != "neg")
"""The functions that `operate` knows, by their Python names."""


def is_number(value: object) -> bool:
    """Tell whether a known value is an int or a float (a bool is not meant as a number)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def operate(name: str, *operands: Expr) -> Expr:
    """Combine expressions, folding what is known; anything that would raise or grow without bound is UNKNOWN."""
    if any(operand is UNKNOWN for operand in operands):
        return UNKNOWN
    if not all(isinstance(operand, Literal) for operand in operands):
        return Operation(name, operands)
    numbers = [operand.value for operand in operands if isinstance(operand, Literal)]
    if not all(is_number(number) for number in numbers):
        return UNKNOWN
    try:
        result = OPERATORS[name](*numbers)
    except (ArithmeticError, ValueError, TypeError):
        return UNKNOWN
    if not is_number(result) or (isinstance(result, int) and result.bit_length() > MAX_BITS):
        return UNKNOWN
    return Literal(result)


def substitute(expr: Expr, known: Mapping[str, Number]) -> Expr:
    """Put numbers in the place of symbols, and fold."""
    match expr:
        case Symbol(text) if text in known:
            return Literal(known[text])
        case Operation(name, operands):
            return operate(name, *(substitute(operand, known) for operand in operands))
    return expr


def symbols(expr: Expr) -> frozenset[str]:
    """Name the symbols that an expression depends on."""
    match expr:
        case Symbol(text):
            return frozenset({text})
        case Operation(_, operands):
            return frozenset().union(*(symbols(operand) for operand in operands))
    return frozenset()


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def compare(name: str, left: Expr, right: Expr) -> Kleene:
    """Compare two expressions with one of `< <= > >= == !=`.

    Symbolic sides are decided when their difference is a constant (`R` and `R`, `T` and `T - 10`). Only numbers have an
    order: which of two strings is the greater says nothing of what was meant.
    """
    if isinstance(left, Literal) and isinstance(right, Literal):
        if name not in {"==", "!="} and not (is_number(left.value) and is_number(right.value)):
            return UNKNOWN
        return bool(_COMPARISONS[name](left.value, right.value))
    first, second = linear(left), linear(right)
    if first is None or second is None or first[0] != second[0]:
        return UNKNOWN
    return bool(_COMPARISONS[name](first[1], second[1]))


Linear: TypeAlias = "tuple[dict[Expr, Number], Number]"


def linear(expr: Expr) -> Linear | None:
    """Write an expression as a sum of coefficient times term plus a constant; None when it is not a number."""
    match expr:
        case Literal(value):
            return ({}, value) if is_number(value) else None
        case Symbol():
            return {expr: 1}, 0
        case Operation("+" | "-" as name, (left, right)):
            first, second = linear(left), linear(right)
            if first is None or second is None:
                return None
            return _add(first, second, 1 if name == "+" else -1)
        case Operation("neg", (operand,)):
            inner = linear(operand)
            return None if inner is None else _add(({}, 0), inner, -1)
        case Operation("*", (left, right)):
            first, second = linear(left), linear(right)
            if first is None or second is None:
                return None
            if not first[0]:
                return _add(({}, 0), second, first[1])
            if not second[0]:
                return _add(({}, 0), first, second[1])
            return {expr: 1}, 0
        case Operation():
            return {expr: 1}, 0
    return None


def _add(left: Linear, right: Linear, factor: Number) -> Linear:
    terms = dict(left[0])
    for term, coefficient in right[0].items():
        total = terms.pop(term, 0) + factor * coefficient
        if total:
            terms[term] = total
    return terms, left[1] + factor * right[1]
