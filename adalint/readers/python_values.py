"""What an expression in a Python file is worth, as far as assignments, literals and simple arithmetic tell."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.values import UNKNOWN, Expr, Literal, Symbol, operate, symbols

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.readers.python_scopes import FileMap

MAX_DEPTH: Final = 30
_BINARY: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
ARITHMETIC: Final = frozenset({"int", "round", "max", "min", "abs", "ceil", "floor"})


def evaluate(node: ast.expr, file_map: FileMap, depth: int = 0) -> Expr:
    """Follow an expression to a literal or a small symbolic form; UNKNOWN when two readings could differ."""
    if depth > MAX_DEPTH:
        return UNKNOWN
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return Literal(value)
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            items = [evaluate(part, file_map, depth + 1) for part in parts]
            known = [item.value for item in items if isinstance(item, Literal)]
            return Literal(known) if len(known) == len(parts) else UNKNOWN
        case ast.Dict(keys=keys, values=values):
            return _dict(keys, values, file_map, depth)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return operate("neg", evaluate(operand, file_map, depth + 1))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return evaluate(operand, file_map, depth + 1)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return operate(_BINARY[type(op)], evaluate(left, file_map, depth + 1), evaluate(right, file_map, depth + 1))
        case ast.Name():
            return _name(node, file_map, depth)
        case ast.Attribute(attr=attr) if _is_enum_member(node, file_map):
            return Literal(attr)
        case ast.Attribute(value=owner, attr=attr):
            inner = _stable(owner, file_map, depth)
            return Symbol(f"{inner}.{attr}") if inner and attr not in file_map.assigned_attributes else UNKNOWN
        case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
            inner = _stable(owner, file_map, depth)
            return Symbol(f"{inner}[{key!r}]") if inner else UNKNOWN
        case ast.Call():
            return _call(node, file_map, depth)
    return UNKNOWN


def _is_enum_member(node: ast.Attribute, file_map: FileMap) -> bool:
    """Recognise `TaskType.CAUSAL_LM` and `PeftType.ADALORA`, whose values are their names."""
    path = file_map.path_of(node)
    return path is not None and path.startswith("peft.") and path.split(".")[-2] in {"TaskType", "PeftType"}


def _dict(keys: list[ast.expr | None], values: list[ast.expr], file_map: FileMap, depth: int) -> Expr:
    known = {}
    for key, value in zip(keys, values, strict=True):
        item = evaluate(value, file_map, depth + 1)
        if not isinstance(key, ast.Constant) or not isinstance(item, Literal):
            return UNKNOWN
        known[key.value] = item.value
    return Literal(known)


def _name(node: ast.Name, file_map: FileMap, depth: int) -> Expr:
    """Follow a name that is assigned once; keep any other as a symbol, equal to itself within one call."""
    binding = file_map.the_binding(node.id, node)
    if binding is not None and binding.value is not None:
        value = evaluate(binding.value, file_map, depth + 1)
        if isinstance(value, Literal) or (value is not UNKNOWN and _holds_still(value, node, file_map)):
            return value
    return Symbol(node.id)


def _holds_still(value: Expr, node: ast.Name, file_map: FileMap) -> bool:
    """Tell whether the names in an assigned value still mean the same where the assigned name is used."""
    for symbol in symbols(value):
        roots = [part.id for part in ast.walk(ast.parse(symbol, mode="eval")) if isinstance(part, ast.Name)]
        if any(len(file_map.bindings(root, node)) > 1 for root in roots):
            return False
    return True


def _stable(node: ast.expr, file_map: FileMap, depth: int) -> str | None:
    """Write an expression that gives the same object each time, such as `args` or `cfg.adapter`; None for all else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute() | ast.Subscript():
            inner = evaluate(node, file_map, depth + 1)
            return inner.text if isinstance(inner, Symbol) else None
    return None


def _call(node: ast.Call, file_map: FileMap, depth: int) -> Expr:
    name = {"math.ceil": "ceil", "math.floor": "floor"}.get(file_map.path_of(node.func) or "", "")
    if isinstance(node.func, ast.Name) and not file_map.bindings(node.func.id, node):
        name = node.func.id
    if (file_map.path_of(node.func) or "").startswith("peft."):
        return Symbol(ast.unparse(node))
    if node.keywords or not node.args:
        return UNKNOWN
    if name == "len" and len(node.args) == 1:
        inner = _stable(node.args[0], file_map, depth)
        return Symbol(f"len({inner})") if inner else UNKNOWN
    wants_several = name in {"max", "min"}
    if name in ARITHMETIC and wants_several == (len(node.args) > 1):
        return operate(name, *(evaluate(arg, file_map, depth + 1) for arg in node.args))
    return UNKNOWN
