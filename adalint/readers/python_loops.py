"""Whether a Python file is seen to run the allocator, so that a schedule that crashes is certain to crash.

Only the loop that PEFT documents is recognised, with nothing in it that could keep a step from being counted or made;
every other one is unknown.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.plan import RIGHT_LOOP, UNKNOWN_LOOP, Counter
from adalint.values import Literal

if TYPE_CHECKING:
    from adalint.plan import Loop
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FileMap

ALLOCATE: Final = "update_and_allocate"


def allocation_in(flow: Flow) -> Loop:
    """Tell how the file trains: the loop of PEFT's documentation when it is plainly there, else unknown."""
    calls = [node for node in flow.map.calls() if _method(node) == ALLOCATE]
    if len(calls) != 1 or not _is_on_a_peft_model(calls[0], flow.map):
        return UNKNOWN_LOOP
    return _loop_of(calls[0], flow) or UNKNOWN_LOOP


def _method(node: ast.AST) -> str | None:
    return node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None


def _is_on_a_peft_model(call: ast.Call, file_map: FileMap) -> bool:
    """Tell whether the method belongs to what `get_peft_model` returned."""
    owner = call.func
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    if not isinstance(owner, ast.Name):
        return False
    made = [
        binding.value
        for binding in file_map.bindings(owner.id, owner)
        if isinstance(binding.value, ast.Call) and file_map.path_of(binding.value.func) == "peft.get_peft_model"
    ]
    return len(made) == 1


def _loop_of(call: ast.Call, flow: Flow) -> Loop | None:
    """Read the loop around a call that is made after backward and step and before zero_grad, in every iteration."""
    file_map = flow.map
    loops: list[ast.For] = []
    child: ast.AST = call
    for parent in file_map.parents(call):
        match parent:
            case ast.Expr():
                pass
            case ast.For(body=body, orelse=[]) if child in body:
                if not loops and not _is_in_documented_order(parent, call):
                    return None
                loops.append(parent)
            case ast.FunctionDef() | ast.Module():
                break
            case _:
                return None
        child = parent
    if not loops or len(call.args) != 1 or call.keywords or any(_jumps(loop) for loop in loops):
        return None
    return _counted(call.args[0], loops, flow)


def _is_in_documented_order(loop: ast.For, call: ast.Call) -> bool:
    """Check backward, then step, then the call, each a statement of the loop's own, with no zero_grad between."""
    order = []
    for statement in loop.body:
        match statement:
            case ast.Expr(value=ast.Call() as made):
                if made is call:
                    order.append(ALLOCATE)
                elif _method(made) in {"backward", "zero_grad"}:
                    order.append(str(_method(made)))
                elif _method(made) == "step" and "sched" not in ast.unparse(made.func).lower():
                    order.append("step")
            case _ if any(_method(node) in {"step", "zero_grad", "backward"} for node in ast.walk(statement)):
                return False
    if ALLOCATE not in order:
        return False
    before = order[: order.index(ALLOCATE)]
    return before[-2:] == ["backward", "step"] and order.count("step") == 1


def _jumps(loop: ast.For) -> bool:
    return any(isinstance(node, ast.Break | ast.Continue | ast.Return | ast.Raise) for node in ast.walk(loop))


def _counted(argument: ast.expr, loops: list[ast.For], flow: Flow) -> Loop | None:
    """Tell with which numbers the call is made: an index of the only loop, or a counter that each iteration raises."""
    if not isinstance(argument, ast.Name):
        return None
    inner = loops[0]
    if len(loops) == 1:
        indexed = _is_index(argument, inner)
        if indexed:
            return replace(RIGHT_LOOP, steps=_length(inner.iter, flow))
    return _raised(argument, loops, flow)


def _is_index(argument: ast.Name, loop: ast.For) -> bool:
    match loop:
        case ast.For(
            target=ast.Tuple(elts=[ast.Name(id=index), _]), iter=ast.Call(func=ast.Name(id="enumerate"), args=[_])
        ):
            return index == argument.id
        case ast.For(target=ast.Name(id=index), iter=ast.Call(func=ast.Name(id="range"), args=[_])):
            return index == argument.id
    return False


def _length(iterated: ast.expr, flow: Flow) -> int | None:
    """Tell how many times a loop goes round, where the text does."""
    match iterated:
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner]):
            return _length(inner, flow)
        case ast.Call(func=ast.Name(id="range"), args=[stop]):
            worth = flow.value(stop)
            return worth.value if isinstance(worth, Literal) and isinstance(worth.value, int) else None
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return len(items)
        case ast.BinOp(left=ast.List(elts=items), op=ast.Mult(), right=ast.Constant(value=int(times))):
            return len(items) * times
    return None


def _raised(argument: ast.Name, loops: list[ast.For], flow: Flow) -> Loop | None:
    """Read `step = 0` before all loops and `step += 1` once in the innermost."""
    bindings = flow.map.bindings(argument.id, argument)
    raises = [one.node for one in bindings if isinstance(one.node, ast.AugAssign)]
    starts = [one.value for one in bindings if one.value is not None]
    if len(bindings) != 2 or len(raises) != 1 or len(starts) != 1:
        return None
    raised, start = raises[0], flow.value(starts[0])
    by_one = isinstance(raised.op, ast.Add) and isinstance(raised.value, ast.Constant) and raised.value.value == 1
    outside = not any(loop in flow.map.parents(starts[0]) for loop in loops)
    if not (by_one and outside and raised in loops[0].body and isinstance(start, Literal) and start.value in {0, 1}):
        return None
    first = start.value + int(flow.origin(raised) < flow.origin(argument))
    rounds = [_length(loop.iter, flow) for loop in loops]
    steps = None
    if all(number is not None for number in rounds):
        steps = 1
        for number in rounds:
            steps *= number or 0
    return replace(RIGHT_LOOP, counter=Counter(start=first), steps=steps)
