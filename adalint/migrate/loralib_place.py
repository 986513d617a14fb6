"""The place where the model gets its adapter: late enough to know all, early enough for the optimizer."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_config import needed_of, told_of_total, total_of
from adalint.migrate.loralib_names import Unmovable, arguments, seen_from, wrapper_of
from adalint.readers.python_scopes import FUNCTIONS

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
    bias: ast.expr | None = None
    trains_more: bool = False
    """Whether the loop that freezes the model may leave something trained beside the adapter."""
    provisional: bool = False
    """Whether it is put behind its statement, where the length of the run is not known yet."""


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
    loop = None if mark is not None else _freezing_loop(file_map)
    spares = loop is not None and _spares(loop)
    frame = file_map.frame_of(allocator.call)
    places = [(allocator.statement, allocator.call), *((one, value) for one, value in allocator.totals)]
    if mark is not None and file_map.frame_of(mark) is frame and _before(mark, allocator.statement):
        places.insert(0, (mark, mark.value))
    total = total_of(allocator)
    early = needed_of(allocator, layers)
    needed = early if total is None else [*early, total]
    refusals: list[tuple[ast.AST, str]] = []
    for statement, place in places:
        if file_map.frame_of(statement) is frame and all(seen_from(one, place, file_map) for one in needed):
            refusals = list(_too_early(allocator, statement, mark, file_map))
            if loop is not None and spares and not _runs_before(loop, statement, file_map):
                refusals.append((loop, "this loop goes by names of the model that PEFT's does not have any more"))
            if not refusals:
                return Wrapping(statement, place, bias, spares)
            break
    behind = None
    if loop is not None and total is not None and file_map.frame_of(told_of_total(allocator)[0]) is frame:
        behind = _around(loop, allocator.statement, file_map)
    if loop is not None and behind is not None and all(seen_from(one, loop.iter, file_map) for one in early):
        refusals = list(_too_early(allocator, behind, mark, file_map, behind=True))
        refusals += _made_later(model, behind, file_map)
        if not refusals:
            return Wrapping(behind, loop.iter, None, spares, provisional=True)
    if not refusals:
        unknown = next((one for one in needed if not seen_from(one, places[-1][1], file_map)), allocator.call)
        refusals = [(unknown, f"{ast.unparse(unknown)} is not known where the configuration has to stand")]
    raise Unmovable(*refusals[0])


def _around(loop: ast.For, statement: ast.stmt, file_map: FileMap) -> ast.stmt | None:
    """Give what holds a loop and not a statement below it; None where both are not of one function."""
    if file_map.frame_of(loop) is not file_map.frame_of(statement) or not _before(loop, statement):
        return None
    above = set(map(id, file_map.parents(statement)))
    found: ast.stmt = loop
    for node in file_map.parents(loop):
        if id(node) in above:
            return found
        if isinstance(node, ast.stmt):
            found = node
    return found


def _made_later(model: ast.expr, place: ast.stmt, file_map: FileMap) -> Iterator[tuple[ast.AST, str]]:
    bindings = file_map.bindings(model.id, model) if isinstance(model, ast.Name) else []
    for one in bindings:
        if wrapper_of(one, ast.unparse(model)) is None and getattr(one.node, "lineno", 0) > (place.end_lineno or 0):
            yield one.node, "the model is made after the place where PEFT has to make its parameters"


def _mark_of(uses: Uses, allocator: Allocator, file_map: FileMap) -> tuple[ast.Expr | None, ast.expr | None]:
    """Find the statement that freezes the rest of the model, and the biases that it leaves out.

    Raises:
        Unmovable: nothing freezes it, or not as PEFT does.
    """
    marks = uses.calls["mark_only_lora_as_trainable"]
    if not marks:
        if _freezing_loop(file_map) is None:
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


def _freezing_loop(file_map: FileMap) -> ast.For | None:
    return next((one for one in file_map.nodes() if isinstance(one, ast.For) and _freezes_by_name(one, file_map)), None)


def _freezes_by_name(loop: ast.For, file_map: FileMap) -> bool:
    """Tell whether a loop sets `requires_grad` by names with `lora` in them, also by a list of such parts of names.

    Raises:
        Unmovable: the list has other parts as well, which PEFT would not train.
    """
    text = ast.unparse(loop)
    if "named_parameters" not in ast.unparse(loop.iter) or "requires_grad" not in text:
        return False
    if "lora" in text:
        return True
    for inner in ast.walk(loop):
        if isinstance(inner, ast.For) and isinstance(inner.iter, ast.Name):
            parts = _listed(inner.iter, file_map)
            if "lora" in parts and len(parts) > 1:
                others = ", ".join(sorted(parts - {"lora"}))
                raise Unmovable(inner, f"parameters with other names than lora may be trained as well: {others}")
            return parts == {"lora"}
    return False


def _listed(name: ast.Name, file_map: FileMap) -> set[str]:
    """Give what a list holds and gets, as it is written."""
    found: set[str] = set()
    for binding in file_map.bindings(name.id, name):
        found |= set(map(_shown, binding.value.elts)) if isinstance(binding.value, ast.List) else {name.id}
    for use in file_map.uses(name.id, name):
        attribute = file_map.parent(use)
        call = None if attribute is None else file_map.parent(attribute)
        if isinstance(attribute, ast.Attribute) and isinstance(call, ast.Call):
            found |= set(map(_shown, call.args))
    return found


def _shown(expr: ast.expr) -> str:
    return expr.value if isinstance(expr, ast.Constant) and isinstance(expr.value, str) else ast.unparse(expr)


def _spares(loop: ast.For) -> bool:
    """Tell whether a loop asks for other names than lora's, so that it may leave something else trained."""
    return any(
        isinstance(one, ast.Constant) and isinstance(one.value, str) and "lora" not in one.value
        for one in ast.walk(loop)
    )


def _runs_before(loop: ast.For, place: ast.stmt, file_map: FileMap) -> bool:
    """Tell whether a loop has run where the model is wrapped: it stands before, or in a function that is called so."""
    frame, inner = file_map.frame_of(place), file_map.frame_of(loop)
    if inner is frame:
        return _before(loop, place)
    callers = file_map.callers_of(inner) if isinstance(inner, FUNCTIONS) else []
    statements = [file_map.statement_of(one) for one in callers if file_map.frame_of(one) is frame]
    return bool(statements) and all(one is not None and _before(one, place) for one in statements)


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
    allocator: Allocator, place: ast.stmt, mark: ast.stmt | None, file_map: FileMap, *, behind: bool = False
) -> Iterator[tuple[ast.AST, str]]:
    """Find what took the model's parameters, or unfroze some, before the place: PEFT's are made there."""
    frame = file_map.frame_of(place)
    last = (place.end_lineno or place.lineno) if behind else place.lineno - 1
    other = None if mark is None or file_map.frame_of(mark) is frame else file_map.frame_of(mark)
    for node in (*file_map.attributes_named("parameters"), *file_map.attributes_named("named_parameters")):
        here = file_map.frame_of(node)
        if not ((here is frame and node.lineno <= last) or here is other):
            continue
        loop = _loop_over(node, file_map)
        if loop is not None and _only_reads(loop, file_map, marked_before=mark is None or _before(mark, loop)):
            continue
        if loop is not None or not _only_looked_at(node, file_map):
            yield node, "the parameters are taken, or changed, before the place where PEFT makes them"
    model = ast.unparse(allocator.model)
    for call in file_map.calls():
        early = file_map.frame_of(call) is frame and call.lineno <= last
        name = ast.unparse(call.func).lower()
        if early and ("optim" in name or "prepare" in name) and model in map(ast.unparse, call.args):
            yield call, "the model is handed on before the place where PEFT makes its parameters"


def _loop_over(node: ast.AST, file_map: FileMap) -> ast.For | None:
    call = file_map.parent(node)
    loop = None if call is None else file_map.parent(call)
    return loop if isinstance(loop, ast.For) and loop.iter is call else None


def _only_reads(loop: ast.For, file_map: FileMap, *, marked_before: bool) -> bool:
    """Tell whether a loop over parameters changes nothing that counts after PEFT has frozen the model."""
    if not marked_before:
        return True
    return _freezes_by_name(loop, file_map) or not any(
        isinstance(one, ast.Assign | ast.AugAssign | ast.Call) and "requires_grad" in ast.unparse(one)
        for one in ast.walk(loop)
    )


def _only_looked_at(node: ast.AST, file_map: FileMap) -> bool:
    return any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in _ONLY_LOOK
        for one in file_map.parents(node)
    )
