"""The place where the model gets its adapter: late enough to know all, early enough for the optimizer."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_config import needed_of
from adalint.migrate.loralib_names import Unmovable, arguments, seen_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.migrate.loralib_allocator import Allocator
    from adalint.migrate.loralib_layers import Layers
    from adalint.migrate.loralib_names import Uses
    from adalint.readers.python_scopes import FileMap

_ONLY_LOOK: Final = frozenset({"sum", "print", "len", "any", "all", "next", "max", "min"})
"""Functions that give no parameter away."""


@dataclass(frozen=True, slots=True)
class Wrapping:
    """Where the model gets its adapter: the statement that becomes it, and the biases that are trained."""

    statement: ast.stmt
    place: ast.expr
    bias: ast.expr | None


def wrapping_of(uses: Uses, allocator: Allocator, layers: Layers, file_map: FileMap) -> Wrapping:
    """Choose where the model is wrapped: where it was marked, where the allocator was made or told its length.

    Raises:
        Unmovable: at none of them all values are known while the optimizer has no parameters yet.
    """
    model = allocator.model
    if not isinstance(model, ast.Name | ast.Attribute) or ast.unparse(model) in {"self", "cls"}:
        raise Unmovable(model, "the model has no name that could stand for the wrapped one")
    _refuse_parameter(model, allocator, file_map)
    mark, bias = _mark_of(uses, allocator, file_map)
    frame = file_map.frame_of(allocator.call)
    places = [(allocator.statement, allocator.call), *((one, value) for one, value in allocator.totals)]
    if mark is not None and file_map.frame_of(mark) is frame and _before(mark, allocator.statement):
        places.insert(0, (mark, mark.value))
    needed = needed_of(allocator, layers)
    for statement, place in places:
        if file_map.frame_of(statement) is frame and all(seen_from(one, place, file_map) for one in needed):
            for use, why in _too_early(allocator, statement, mark, file_map):
                raise Unmovable(use, why)
            return Wrapping(statement, place, bias)
    unknown = next((one for one in needed if not seen_from(one, places[-1][1], file_map)), allocator.call)
    raise Unmovable(unknown, f"{ast.unparse(unknown)} is not known where the configuration has to stand")


def _mark_of(uses: Uses, allocator: Allocator, file_map: FileMap) -> tuple[ast.Expr | None, ast.expr | None]:
    """Find the statement that freezes the rest of the model, and the biases that it leaves out.

    Raises:
        Unmovable: nothing freezes it, or not as PEFT does.
    """
    marks = uses.calls["mark_only_lora_as_trainable"]
    if not marks:
        if not any(_freezes_by_name(node) for node in file_map.nodes()):
            raise Unmovable(
                allocator.call,
                "nothing in this file freezes the rest of the model, which loralib trains and PEFT does not",
            )
        return None, None
    if len(marks) > 1:
        raise Unmovable(marks[1], "a second mark_only_lora_as_trainable")
    [call] = marks
    given = arguments(call, ("model", "bias"), 1)
    mark = file_map.statement_of(call)
    if not isinstance(mark, ast.Expr) or mark.value is not call:
        raise Unmovable(call, "the result of mark_only_lora_as_trainable is used")
    same_frame = file_map.frame_of(mark) is file_map.frame_of(allocator.call)
    if same_frame and ast.unparse(given["model"]) != ast.unparse(allocator.model):
        raise Unmovable(call, "another model is marked than the allocator gets")
    return mark, given.get("bias")


def _freezes_by_name(node: ast.AST) -> bool:
    """Tell whether a loop sets `requires_grad` by names with `lora` in them."""
    if not isinstance(node, ast.For) or "named_parameters" not in ast.unparse(node.iter):
        return False
    text = ast.unparse(node)
    return "requires_grad" in text and "lora" in text


def _refuse_parameter(model: ast.expr, allocator: Allocator, file_map: FileMap) -> None:
    """Refuse to wrap what a caller hands in and goes on to use as it was.

    Raises:
        Unmovable: the allocator is called outside of the function, which does not give the model back.
    """
    root = next(one for one in ast.walk(model) if isinstance(one, ast.Name))
    frame = file_map.frame_of(allocator.call)
    if isinstance(model, ast.Attribute) or not any(
        isinstance(one.node, ast.arg) for one in file_map.bindings(root.id, root)
    ):
        return
    given_back = any(
        isinstance(one, ast.Return)
        and one.value is not None
        and root.id in {part.id for part in ast.walk(one.value) if isinstance(part, ast.Name)}
        and file_map.frame_of(one) is frame
        for one in file_map.nodes()
    )
    if not given_back and any(file_map.frame_of(statement) is not frame for statement, *_ in allocator.updates):
        raise Unmovable(model, f"{root.id} is wrapped in a function, and its caller goes on with what is not wrapped")


def _before(one: ast.stmt, other: ast.stmt) -> bool:
    return (one.lineno, one.col_offset) < (other.lineno, other.col_offset)


def _too_early(
    allocator: Allocator, place: ast.stmt, mark: ast.stmt | None, file_map: FileMap
) -> Iterator[tuple[ast.AST, str]]:
    """Find what took the model's parameters, or unfroze some, before the place: PEFT's are made there."""
    frame = file_map.frame_of(place)
    other = None if mark is None or file_map.frame_of(mark) is frame else file_map.frame_of(mark)
    for node in (*file_map.attributes_named("parameters"), *file_map.attributes_named("named_parameters")):
        here = file_map.frame_of(node)
        if not ((here is frame and node.lineno < place.lineno) or here is other):
            continue
        loop = _loop_over(node, file_map)
        if loop is not None and _only_reads(loop, marked_before=mark is None or _before(mark, loop)):
            continue
        if loop is not None or not _only_looked_at(node, file_map):
            yield node, "the parameters are taken, or changed, before the place where PEFT makes them"
    model = ast.unparse(allocator.model)
    for call in file_map.calls():
        early = file_map.frame_of(call) is frame and call.lineno < place.lineno
        name = ast.unparse(call.func).lower()
        if early and ("optim" in name or "prepare" in name) and model in map(ast.unparse, call.args):
            yield call, "the model is handed on before the place where PEFT makes its parameters"


def _loop_over(node: ast.AST, file_map: FileMap) -> ast.For | None:
    call = file_map.parent(node)
    loop = None if call is None else file_map.parent(call)
    return loop if isinstance(loop, ast.For) and loop.iter is call else None


def _only_reads(loop: ast.For, *, marked_before: bool) -> bool:
    """Tell whether a loop over parameters changes nothing that counts after PEFT has frozen the model."""
    if not marked_before:
        return True
    return _freezes_by_name(loop) or not any(
        isinstance(one, ast.Assign | ast.AugAssign | ast.Call) and "requires_grad" in ast.unparse(one)
        for one in ast.walk(loop)
    )


def _only_looked_at(node: ast.AST, file_map: FileMap) -> bool:
    return any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in _ONLY_LOOK
        for one in file_map.parents(node)
    )
