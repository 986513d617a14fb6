"""What a layer is given by way of parameters, said in the words of those who make the model."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.readers.python_scopes import FUNCTIONS

if TYPE_CHECKING:
    from adalint.readers.python_scopes import FileMap, FunctionNode

_DEEPEST: Final = 8
"""Functions that hand a value on to each other."""


def handed_in(expr: ast.expr, file_map: FileMap, depth: int = _DEEPEST) -> ast.expr:
    """Say an expression as all callers do that hand its parameter in; the expression itself where they differ."""
    root, attributes = expr, list[str]()
    while isinstance(root, ast.Attribute):
        attributes.insert(0, root.attr)
        root = root.value
    binding = file_map.the_binding(root.id, root) if isinstance(root, ast.Name) else None
    if depth == 0 or binding is None or not isinstance(binding.node, ast.arg):
        return expr
    function = file_map.frame_of(root)
    if not isinstance(function, FUNCTIONS):
        return expr
    given = [argument(call, binding.node, function, file_map) for call in file_map.callers_of(function)]
    known = [handed_in(one, file_map, depth - 1) for one in given if one is not None]
    if not known or len(known) < len(given) or len(set(map(ast.unparse, known))) > 1:
        return expr
    said = known[0]
    for name in attributes:
        said = ast.copy_location(ast.Attribute(said, name, ast.Load()), expr)
    return said


def argument(call: ast.Call, parameter: ast.arg, function: FunctionNode, file_map: FileMap) -> ast.expr | None:
    """Find what a call hands in for a parameter: what it gives, or a constant default."""
    if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
        return None
    for keyword in call.keywords:
        if keyword.arg == parameter.arg:
            return keyword.value
    listed = [*function.args.posonlyargs, *function.args.args]
    named = dict(zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True))
    if parameter in listed:
        index = listed.index(parameter) - (1 if file_map.is_method(function) else 0)
        if 0 <= index < len(call.args):
            return call.args[index]
        defaults = function.args.defaults
        named |= dict(zip(listed[len(listed) - len(defaults) :], defaults, strict=True))
    default = named.get(parameter)
    return default if isinstance(default, ast.Constant) else None


def kept_keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Find what an attribute is of an object that only keeps the arguments that it is made with."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = [one.value for one in call.keywords if one.arg == name]
    return given[0] if called in {"SimpleNamespace", "Namespace"} and len(given) == 1 else None
