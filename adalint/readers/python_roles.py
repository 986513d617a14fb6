"""What a use of a variable does to the dict or list that it holds."""

from __future__ import annotations

import ast
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from adalint.readers.python_shapes import last_name

if TYPE_CHECKING:
    from adalint.readers.python_scopes import FileMap


class Role(Enum):
    """What becomes of a dict where it is used."""

    READ = auto()
    COPY = auto()
    """Its entries go into another dict, or into a call."""
    CHANGE = auto()
    """A statement of its own changes it in a way that can be followed."""
    INNER = auto()
    """A value in it gets another name, or goes where it may be changed."""
    ESCAPE = auto()
    """It gets another name, goes where it may be changed, or is changed in a way that cannot be followed."""


_HARMLESS: Final = frozenset(
    {"print", "pprint", "dumps", "dump", "info", "debug", "warning", "log", "len", "sorted", "list", "str", "repr"}
    | {"isinstance", "type", "hash", "id", "format", "keys", "get", "set", "tuple", "sum", "any", "all", "max", "min"}
)
"""What a dict may be handed to, or asked for, without being changed."""

_COPIES: Final = frozenset({"copy", "deepcopy", "dict"})
_INNER: Final = frozenset({"items", "values"})
_CHANGES: Final = frozenset({"update", "pop", "setdefault"})


def role_of(file_map: FileMap, use: ast.expr) -> Role:
    """Tell what happens to what an expression holds, where it stands."""
    parent = file_map.parent(use)
    match parent:
        case ast.Subscript(value=value) if value is use:
            return _of_item(file_map, parent)
        case ast.Attribute():
            return _of_method(file_map, use, parent)
        case ast.keyword(arg=None):
            return Role.COPY
        case ast.Dict(keys=keys, values=values):
            spread = any(key is None and value is use for key, value in zip(keys, values, strict=True))
            return Role.COPY if spread else Role.ESCAPE
        case ast.BinOp(op=ast.BitOr()):
            return Role.COPY
        case ast.AugAssign(target=target, op=ast.BitOr()):
            return Role.CHANGE if target is use else Role.COPY
        case ast.Call(func=func) if parent.func is not use:
            name = last_name(func)
            if name in _COPIES:
                return Role.COPY
            return Role.READ if name in _HARMLESS else Role.ESCAPE
        case ast.Compare() | ast.FormattedValue() | ast.Expr() | ast.If() | ast.While() | ast.Assert():
            return Role.READ
        case ast.UnaryOp(op=ast.Not()) | ast.comprehension() | ast.For():
            return Role.READ
    return Role.ESCAPE


def _of_item(file_map: FileMap, item: ast.Subscript) -> Role:
    around = file_map.parent(item)
    if not isinstance(item.ctx, ast.Load):
        match around:
            case ast.Assign(targets=[target]) | ast.Delete(targets=[target]) if target is item:
                return Role.CHANGE
        return Role.ESCAPE
    inner = role_of(file_map, item)
    return {Role.CHANGE: Role.ESCAPE, Role.ESCAPE: Role.INNER}.get(inner, inner)


def _of_method(file_map: FileMap, use: ast.expr, method: ast.Attribute) -> Role:
    if method.attr in _CHANGES:
        call = file_map.parent(method)
        statement = None if call is None else file_map.parent(call)
        if isinstance(statement, ast.Expr):
            return Role.CHANGE
        # `x = cfg.pop("r")` is a change, too, unless the value goes straight back.
        goes_back = isinstance(statement, ast.Assign) and any(
            isinstance(part, ast.Name) and isinstance(use, ast.Name) and part.id == use.id
            for target in statement.targets
            for part in ast.walk(target)
        )
        return Role.CHANGE if isinstance(statement, ast.Assign) and not goes_back else Role.ESCAPE
    if method.attr in _COPIES:
        return Role.COPY
    if method.attr in _INNER:
        return Role.INNER
    return Role.READ if method.attr in _HARMLESS else Role.ESCAPE
