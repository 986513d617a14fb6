"""Questions about the shape of a syntax tree, with no knowledge of values."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.python_scopes import FunctionNode


def block_of(parent: ast.AST, child: ast.AST) -> list[ast.stmt] | None:
    """Find the block of statements of a node in which another one stands."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and child in block:
            return block
    return None


def path_in(target: ast.expr, name: str) -> tuple[int, ...] | None:
    """Find a name in a target of assignment: () for the target itself, else the indices into its tuples."""
    match target:
        case ast.Name(id=bound):
            return () if bound == name else None
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            if any(isinstance(part, ast.Starred) for part in parts):
                return None
            for index, part in enumerate(parts):
                inner = path_in(part, name)
                if inner is not None:
                    return (index, *inner)
    return None


def part_for(target: ast.expr, value: ast.expr, name: str) -> ast.expr | None:
    """Find the part of an assigned value that goes to a name."""
    path = path_in(target, name)
    if path is None:
        return None
    for index in path:
        if not isinstance(value, ast.Tuple | ast.List) or index >= len(value.elts):
            return None
        if any(isinstance(part, ast.Starred) for part in value.elts):
            return None
        value = value.elts[index]
    return value


def parameters(function: FunctionNode) -> list[str]:
    """Name all parameters of a function."""
    args = function.args
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    return [arg.arg for arg in (*named, *filter(None, (args.vararg, args.kwarg)))]


def given_argument(function: FunctionNode, call: ast.Call, name: str, *, bound: bool) -> ast.expr | None:
    """Find the expression that a call gives for a parameter, its default when it gives none."""
    if any(isinstance(arg, ast.Starred) for arg in call.args) or any(one.arg is None for one in call.keywords):
        return None
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    if bound:
        positional = positional[1:]
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    for arg, value in zip(positional, call.args, strict=False):
        if arg.arg == name:
            return value
    defaults: dict[str, ast.expr] = {
        arg.arg: value
        for arg, value in zip(reversed([*args.posonlyargs, *args.args]), reversed(args.defaults), strict=False)
    }
    defaults |= {
        arg.arg: value for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is not None
    }
    return defaults.get(name)


def only_return(function: FunctionNode) -> ast.expr | None:
    """Find what a function returns when it has only one `return`, at its end."""
    if isinstance(function, ast.Lambda):
        return function.body
    returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
    last = function.body[-1]
    return last.value if len(returns) == 1 and last is returns[0] and isinstance(last, ast.Return) else None


def last_name(func: ast.expr) -> str:
    """Give the last name of a dotted expression."""
    match func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def arms_of(statement: ast.If | ast.Match) -> list[list[ast.stmt]]:
    """Give the blocks of which a statement runs one; an empty one when it may run none."""
    if isinstance(statement, ast.If):
        return [statement.body, statement.orelse]
    arms = [case.body for case in statement.cases]
    last = statement.cases[-1]
    catches_all = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
    return arms if catches_all else [*arms, []]


def test_of(statement: ast.If | ast.Match) -> ast.expr:
    """Give the expression that chooses between the arms."""
    return statement.test if isinstance(statement, ast.If) else statement.subject


def ends(block: Sequence[ast.stmt]) -> bool:
    """Tell whether nothing after a block is reached through it."""
    if not block:
        return False
    match block[-1]:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return True
        case ast.Expr(value=ast.Call(func=func)):
            return last_name(func) in {"exit", "_exit", "abort", "error", "fail", "skip"}
        case ast.If(body=body, orelse=orelse):
            return ends(body) and ends(orelse)
    return False


def normal_test(test: ast.expr) -> tuple[str, bool]:
    """Write a test so that `x` and `not x`, `==` and `!=`, `is` and `is not` are one test, asked both ways."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            key, flipped = normal_test(operand)
            return key, not flipped
        case ast.Compare(left=left, ops=[ast.NotEq() | ast.IsNot() as op], comparators=[right]):
            positive: ast.cmpop = ast.Eq() if isinstance(op, ast.NotEq) else ast.Is()
            return ast.unparse(ast.Compare(left, [positive], [right])), True
    return ast.unparse(test), False


def is_double_starred(function: FunctionNode, name: str) -> bool:
    """Tell whether a parameter gathers the keywords that are left."""
    return function.args.kwarg is not None and function.args.kwarg.arg == name


def called(statement: ast.stmt) -> ast.expr | None:
    """Give the expression that a statement evaluates."""
    match statement:
        case ast.Expr(value=value) | ast.Assign(value=value):
            return value
    return None


_HARMLESS_CALLS = frozenset(
    {
        "len",
        "int",
        "float",
        "bool",
        "str",
        "round",
        "max",
        "min",
        "abs",
        "ceil",
        "floor",
        "sum",
        "range",
        "getattr",
        "get",
    }
    | {"dict", "list", "set", "tuple", "sorted", "copy", "deepcopy"}
)


def is_pure(node: ast.expr) -> bool:
    """Tell whether evaluating an expression does nothing but give its value; sub-configurations of PEFT are pure."""
    for part in ast.walk(node):
        match part:
            case ast.NamedExpr() | ast.Await() | ast.Yield() | ast.YieldFrom():
                return False
            case ast.Call(func=func) if last_name(func) not in _HARMLESS_CALLS:
                if not last_name(func).endswith("Config"):
                    return False
    return True
