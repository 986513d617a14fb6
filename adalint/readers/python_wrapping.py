"""Whether a Python file is seen to hand a configuration to `get_peft_model` as it was constructed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adalint.readers.python_scopes import FileMap


def is_wrapped(made: ast.expr, file_map: FileMap) -> bool:
    """Tell whether `get_peft_model` is given this very expression, or a name that it is assigned to.

    Not where the file sets a `task_type` later, or calls the inner model itself, which adds the orthogonal penalty
    without one.
    """
    if file_map.attribute_stores("task_type") or file_map.calls_inner_model:
        return False
    return any(
        given is made or (isinstance(given, ast.Name) and _may_hold(given, made, file_map))
        for call in file_map.wraps
        for given in (*call.args[1:2], *(one.value for one in call.keywords if one.arg == "peft_config"))
    )


def _may_hold(name: ast.Name, made: ast.expr, file_map: FileMap) -> bool:
    return any(binding.value is made for binding in file_map.bindings(name.id, name))
