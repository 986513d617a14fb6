"""Which configurations a Python file hands to PEFT: to `get_peft_model`, and where else an adapter is made of one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FileMap


def is_wrapped(made: ast.expr, file_map: FileMap) -> bool:
    """Tell whether `get_peft_model` is given this very expression, or a name that it is assigned to.

    Not where the file sets a `task_type` later, or calls the inner model itself, which adds the orthogonal penalty
    without one.
    """
    if file_map.attribute_stores("task_type") or file_map.calls_inner_model:
        return False
    return any(may_be(given, made, file_map) for call in file_map.wraps for given in configurations_of(call))


def configurations_of(wrap: ast.Call) -> list[ast.expr]:
    """List what a call of `get_peft_model`, or of a Trainer, is given as the configuration."""
    return [*wrap.args[1:2], *(one.value for one in wrap.keywords if one.arg == "peft_config")]


def may_be(given: ast.expr, made: ast.expr, file_map: FileMap) -> bool:
    """Tell whether an expression is a construction, or a name that it is assigned to."""
    if given is made:
        return True
    return isinstance(given, ast.Name) and any(one.value is made for one in file_map.bindings(given.id, given))


def number_of(given: Sequence[ast.expr], nodes: Sequence[ast.expr], flow: Flow) -> int | None:
    """Find the construction that one of several expressions is, else the first that it may be."""
    sure = {flow.target(one) for one in given}
    for number, node in enumerate(nodes):
        if node in sure:
            return number
    found = (number for number, node in enumerate(nodes) if any(may_be(one, node, flow.map) for one in given))
    return next(found, None)


def is_loaded(call: ast.Call, file_map: FileMap) -> bool:
    """Tell whether a call is PEFT's `from_pretrained`, which makes a model of a saved adapter."""
    path = file_map.path_of(call.func) or ""
    return path.startswith("peft.") and path.endswith(".from_pretrained") and "Config" not in path
