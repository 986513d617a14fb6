"""The language of `when`: a small part of Python's expressions, three-valued.

A rule page is data, so what it can say is a whitelist: names of fields, literals, arithmetic, comparisons, `and`, `or`,
`not`, `in` with a literal list, and the functions of `FUNCTIONS`. A name stands for the *effective* value of a field. A
condition that rests on something unknown is UNKNOWN, and then the rule stays silent.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from adalint.values import (
    BINARY,
    FUNCTIONS_OF_NUMBERS,
    UNKNOWN,
    Expr,
    Kleene,
    Literal,
    Operation,
    Symbol,
    compare,
    is_number,
    operate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class LanguageError(ValueError):
    """A condition or template that the language does not allow; the message names the place and what is allowed."""


class Facts(Protocol):
    """What a condition may ask about."""

    def value(self, name: str) -> Expr:
        """Give the effective value of a field, or of a dotted fact such as `trace.failing_step`."""

    def given(self, name: str) -> Kleene:
        """Tell whether a field is written."""

    def release_is(self, comparison: str, release: str) -> bool:
        """Compare the target release of PEFT."""


_COMPARE: Final[Mapping[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def _is_a_number(expr: Expr) -> Kleene:
    if isinstance(expr, Literal):
        return is_number(expr.value) and math.isfinite(expr.value)
    return UNKNOWN


def _is_whole(expr: Expr) -> Kleene:
    if not isinstance(expr, Literal):
        return UNKNOWN
    return is_number(expr.value) and math.isfinite(expr.value) and expr.value == int(expr.value)


def _is_text(expr: Expr) -> Kleene:
    return isinstance(expr.value, str) if isinstance(expr, Literal) else UNKNOWN


def _is_fractional(expr: Expr) -> Kleene:
    return isinstance(expr.value, float) if isinstance(expr, Literal) else UNKNOWN


def _is_sure(expr: Expr) -> Kleene:
    return truth(expr) is True


PREDICATES: Final[Mapping[str, Callable[[Expr], Kleene]]] = {
    "number": _is_a_number,
    "whole": _is_whole,
    "text": _is_text,
    "fractional": _is_fractional,
    "sure": _is_sure,
}
FUNCTIONS: Final = frozenset({"given", *PREDICATES, *FUNCTIONS_OF_NUMBERS})


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked expression of the language."""

    text: str
    tree: ast.expr

    def names(self) -> frozenset[str]:
        """Name the fields and facts that it asks about."""
        return _names(self.tree)

    def evaluate(self, facts: Facts) -> Expr:
        """Compute its value; UNKNOWN when it rests on something unknown."""
        return _evaluate(self.tree, facts)

    def holds(self, facts: Facts) -> Kleene:
        """Compute its truth value."""
        return truth(self.evaluate(facts))


@cache
def parse(text: str) -> Condition:
    """Check a text against the whitelist.

    Raises:
        LanguageError: it is no expression of the language.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise LanguageError(f"{text!r} is no expression: {error.msg}") from None
    _check(tree, text)
    return Condition(text, tree)


def truth(expr: Expr) -> Kleene:
    """Read an expression as a truth value."""
    return bool(expr.value) if isinstance(expr, Literal) else UNKNOWN


def _check(node: ast.expr, text: str) -> None:
    match node:
        case ast.Constant() | ast.Name():
            return
        case ast.Attribute(value=ast.Name()):
            return
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            pass
        case ast.BoolOp(values=parts):
            pass
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            parts = [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            parts = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            type(op) in _COMPARE or isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn) for op in ops
        ):
            parts = [left, *others]
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in FUNCTIONS:
            if name == "given" and not (len(parts) == 1 and isinstance(parts[0], ast.Name)):
                raise LanguageError(f"given() takes one field name, in {text!r}")
        case _:
            raise LanguageError(f"{ast.unparse(node)!r} is not allowed in {text!r}; functions: {sorted(FUNCTIONS)}")
    for part in parts:
        _check(part, text)


def _names(node: ast.AST) -> frozenset[str]:
    match node:
        case ast.Attribute(value=ast.Name(id=owner), attr=attr):
            return frozenset({f"{owner}.{attr}"})
        case ast.Name(id=name):
            return frozenset() if name == "peft" else frozenset({name})
        case ast.Call(args=args):
            return frozenset().union(*(_names(arg) for arg in args))
    return frozenset().union(*(_names(child) for child in ast.iter_child_nodes(node)))


def _evaluate(node: ast.expr, facts: Facts) -> Expr:
    match node:
        case ast.Constant(value=value):
            return Literal(value)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            items = [_evaluate(part, facts) for part in parts]
            return Literal([item.value for item in items if isinstance(item, Literal)])
        case ast.Name(id=name):
            return facts.value(name)
        case ast.Attribute(value=ast.Name(id=owner), attr=attr):
            return facts.value(f"{owner}.{attr}")
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = truth(_evaluate(operand, facts))
            return _literal(not inner) if isinstance(inner, bool) else UNKNOWN
        case ast.UnaryOp(operand=operand):
            return operate("neg", _evaluate(operand, facts))
        case ast.BinOp(left=left, op=op, right=right):
            return operate(BINARY[type(op)], _evaluate(left, facts), _evaluate(right, facts))
        case ast.BoolOp(op=op, values=parts):
            return _all_or_any(parts, facts, stop=isinstance(op, ast.Or))
        case ast.Compare(left=left, ops=ops, comparators=others):
            return _compare_chain(left, ops, others, facts)
        case ast.Call(func=ast.Name(id="given"), args=[ast.Name(id=name)]):
            return _literal(facts.given(name))
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [_evaluate(arg, facts) for arg in args]
            return _literal(PREDICATES[name](*values)) if name in PREDICATES else operate(name, *values)
    raise AssertionError(f"unchecked expression {ast.dump(node)}")


def _literal(value: Kleene) -> Expr:
    return UNKNOWN if value is UNKNOWN else Literal(value)


def _all_or_any(parts: list[ast.expr], facts: Facts, *, stop: bool) -> Expr:
    """Kleene's `or` (stop=True) and `and` (stop=False)."""
    unknown = False
    for part in parts:
        value = truth(_evaluate(part, facts))
        if value is UNKNOWN:
            unknown = True
        elif value is stop:
            return Literal(stop)
    return UNKNOWN if unknown else Literal(not stop)


def _compare_chain(left: ast.expr, ops: list[ast.cmpop], others: list[ast.expr], facts: Facts) -> Expr:
    unknown = False
    for op, right in zip(ops, others, strict=True):
        value = _compare_one(left, op, right, facts)
        if value is False:
            return Literal(False)
        unknown = unknown or value is UNKNOWN
        left = right
    return UNKNOWN if unknown else Literal(True)


def _compare_one(left: ast.expr, op: ast.cmpop, right: ast.expr, facts: Facts) -> Kleene:
    if isinstance(left, ast.Name) and left.id == "peft" and isinstance(right, ast.Constant):
        return facts.release_is(_COMPARE[type(op)], str(right.value))
    first, second = _evaluate(left, facts), _evaluate(right, facts)
    match op:
        case ast.Is() | ast.IsNot():
            if first is UNKNOWN or second is UNKNOWN or isinstance(first, Symbol | Operation):
                return UNKNOWN
            same = isinstance(first, Literal) and isinstance(second, Literal) and first.value is second.value
            return same is isinstance(op, ast.Is)
        case ast.In() | ast.NotIn():
            if not isinstance(first, Literal) or not isinstance(second, Literal):
                return UNKNOWN
            return (first.value in second.value) is isinstance(op, ast.In)
    return compare(_COMPARE[type(op)], first, second)


_ATOMS: Final = (ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript)


def render(condition: Condition, texts: Mapping[str, str], *, fold: bool = False) -> str:
    """Write an expression in Python, each field replaced by the text that stands in the user's code, as it stands.

    With `fold`, what it makes of whole numbers only is computed: `2 * (200 + 1900)` is 4200.
    """
    marks = {name: f"field_{index}_" for index, name in enumerate(sorted(texts))}
    numbers = {marks[name]: number for name, text in texts.items() if (number := _whole_number(text)) is not None}

    class Marked(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.Name:
            return ast.Name(marks.get(node.id, node.id))

        def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
            inner = ast.BinOp(self.visit(node.left), node.op, self.visit(node.right))
            sides = [_number_of(side, numbers) for side in (inner.left, inner.right)]
            if not fold or not isinstance(node.op, ast.Add | ast.Sub | ast.Mult) or None in sides:
                return inner
            result = operate(BINARY[type(node.op)], *map(Literal, sides))
            return ast.Constant(result.value) if isinstance(result, Literal) else inner

    written = ast.unparse(Marked().visit(ast.parse(condition.text.strip(), mode="eval").body))
    whole = written
    for name, mark in marks.items():
        # In brackets of its own a text may go over several lines, and hold a `yield`.
        tree = ast.parse(f"(\n{texts[name]}\n)", mode="eval").body
        text = texts[name] if not {"\n", "\r"} & set(texts[name]) else ast.unparse(tree)
        written = written.replace(mark, text if isinstance(tree, _ATOMS) or whole == mark else f"({text})")
    return written


def _whole_number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _number_of(node: ast.expr, numbers: Mapping[str, int]) -> int | None:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name):
            return numbers.get(name)
    return None
