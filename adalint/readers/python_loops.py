"""Whether a Python file is seen to run the allocator, so that a schedule that crashes is certain to crash."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.plan import RIGHT_LOOP, UNKNOWN_LOOP

if TYPE_CHECKING:
    from adalint.plan import Loop
    from adalint.readers.python_scopes import FileMap

ALLOCATE: Final = "update_and_allocate"


def allocation_in(file_map: FileMap) -> Loop:
    """Tell how the file trains: the loop of PEFT's documentation when it is plainly there, else unknown."""
    calls = [node for node in file_map.nodes() if _calls(node, ALLOCATE)]
    return RIGHT_LOOP if len(calls) == 1 and _runs_every_step(calls[0], file_map) else UNKNOWN_LOOP


def _calls(node: ast.AST, method: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method


def _runs_every_step(call: ast.AST, file_map: FileMap) -> bool:
    """Tell whether a call stands in a training loop, after backward and before zero_grad, under no other condition."""
    in_loop = False
    child = call
    for parent in file_map.parents(call):
        match parent:
            case ast.If():
                if not _guards_the_optimizer_too(parent, child):
                    return False
            case ast.Try() | ast.IfExp() | ast.BoolOp() | ast.While() | ast.Lambda() | ast.ClassDef():
                return False
            case ast.With(items=items) if any(_calls(item.context_expr, "suppress") for item in items):
                return False
            case ast.For(body=body) | ast.AsyncFor(body=body) if not in_loop:
                if child not in body or not _in_documented_order(body, call):
                    return False
                in_loop = True
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not in_loop:
                return False
        child = parent
    return in_loop


def _guards_the_optimizer_too(guard: ast.If, child: ast.AST) -> bool:
    return child in guard.body and any(_calls(node, "step") for statement in guard.body for node in ast.walk(statement))


def _in_documented_order(body: list[ast.stmt], call: ast.AST) -> bool:
    """Check backward, then step, then the call, with no zero_grad between the last two."""
    order = []
    for statement in body:
        in_text_order = sorted(
            (node for node in ast.walk(statement) if isinstance(node, ast.Call)),
            key=lambda node: (node.lineno, node.col_offset),
        )
        for node in in_text_order:
            if node is call:
                order.append(ALLOCATE)
            elif isinstance(node.func, ast.Attribute) and node.func.attr in {"backward", "step", "zero_grad"}:
                order.append(node.func.attr)
    before = order[: order.index(ALLOCATE)]
    if "backward" not in before or "step" not in before:
        return False
    return "zero_grad" not in before[before.index("backward") :] and before.index("backward") < before.index("step")
