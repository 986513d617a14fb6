"""The allocator of loralib in a text: where it is made, what it is given, where it goes and where it is called."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_layers import without
from adalint.migrate.loralib_names import OF_THE_FORK, Unmovable, arguments, is_old_trainer, same_model

if TYPE_CHECKING:
    from adalint.migrate.loralib_names import Uses
    from adalint.readers.python_scopes import FileMap, FunctionNode
    from adalint.source import Edit

_NAMES: Final = (
    "model",
    "lora_r",
    "target_rank",
    "init_warmup",
    "final_warmup",
    "mask_interval",
    "beta1",
    "beta2",
    "total_step",
    "target_total_rank",
    "tb_writter",
    "tb_writter_loginterval",
)
_NEEDED: Final = _NAMES.index("total_step")


@dataclass(slots=True)
class Allocator:
    """One `RankAllocator(…)` with its arguments, and what follows from it in the rest of the text."""

    call: ast.Call
    statement: ast.Assign
    given: dict[str, ast.expr]
    updates: list[tuple[ast.stmt, ast.expr, ast.expr]] = field(default_factory=list)
    """The calls of `update_and_mask`: statement, model, step."""
    totals: list[tuple[ast.stmt, ast.expr]] = field(default_factory=list)
    trainer: ast.Call | None = None
    edits: list[Edit] = field(default_factory=list)
    """It is handed on no more."""

    @property
    def model(self) -> ast.expr:
        """What it allocates ranks in."""
        return self.given["model"]


def allocator_of(uses: Uses, file_map: FileMap) -> Allocator:
    """Find the allocator, and follow it to where it is called.

    Raises:
        Unmovable: there is none or several, or it is used in ways that PEFT has nothing for.
    """
    calls = uses.calls["RankAllocator"]
    if not calls:
        own = [*uses.calls["SVDLinear"], *uses.calls["compute_orth_regu"]]
        raise Unmovable(own[0], "no RankAllocator is made in this file, and one configuration of PEFT says all of it")
    if len(calls) > 1:
        raise Unmovable(calls[1], "a second RankAllocator")
    [call] = calls
    given = arguments(call, _NAMES, _NEEDED)
    statement = file_map.parent(call)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        raise Unmovable(call, "the allocator is not assigned to one name")
    frame = file_map.frame_of(call)
    if any(isinstance(one, ast.For | ast.While) and file_map.frame_of(one) is frame for one in file_map.parents(call)):
        raise Unmovable(call, "the allocator is made anew in a loop, and forgets what it has measured")
    if "target_total_rank" in given and not _is_none(given["target_total_rank"]):
        text = ast.unparse(given["target_total_rank"])
        raise Unmovable(
            call, f"target_total_rank={text} is a sum; PEFT's target_r is it divided by the adapted modules"
        )
    found = Allocator(call, statement, given)
    _follow(statement.targets[0], found, file_map)
    known = {id(one) for one, *_ in found.updates}
    for attribute in file_map.attributes_named("update_and_mask"):
        statement_ = file_map.statement_of(attribute)
        if id(statement_) not in known:
            raise Unmovable(
                attribute, "this update_and_mask is called on something that does not lead to the allocator"
            )
    if not found.updates and found.trainer is None:
        raise Unmovable(call, "update_and_mask is not called in this file")
    return found


def _is_none(expr: ast.expr) -> bool:
    return isinstance(expr, ast.Constant) and expr.value is None


def _follow(target: ast.expr, found: Allocator, file_map: FileMap) -> None:
    match target:
        case ast.Name(id=name):
            if len(file_map.bindings(name, target)) > 1:
                raise Unmovable(target, f"{name} is not always the allocator")
            uses: list[ast.expr] = [one for one in file_map.uses(name, target) if isinstance(one.ctx, ast.Load)]
        case ast.Attribute(attr=name):
            if len(file_map.attribute_stores(name)) > 1:
                raise Unmovable(target, f"{name} is not always the allocator")
            uses = [one for one in file_map.attributes_named(name) if isinstance(one.ctx, ast.Load)]
        case _:
            raise Unmovable(target, "the allocator is not assigned to one name")
    _take(uses, found, file_map, seen=set())


def _take(uses: list[ast.expr], found: Allocator, file_map: FileMap, seen: set[tuple[int, str]]) -> None:
    for use in uses:
        parent = file_map.parent(use)
        above = None if parent is None else file_map.parent(parent)
        if isinstance(parent, ast.Attribute) and isinstance(above, ast.Call) and above.func is parent:
            _call_of(parent.attr, above, found, file_map)
        elif isinstance(parent, ast.keyword) and isinstance(above, ast.Call):
            _handed(use, parent, above, found, file_map, seen)
        elif isinstance(parent, ast.Call) and use in parent.args:
            _handed(use, use, parent, found, file_map, seen)
        else:
            raise Unmovable(use, "the allocator is used in a way that PEFT has nothing for")


def _call_of(method: str, call: ast.Call, found: Allocator, file_map: FileMap) -> None:
    statement = file_map.statement_of(call)
    if method == "update_and_mask":
        given = arguments(call, ("model", "global_step"), 2)
        if statement is None or not _result_unused(statement, call, file_map):
            raise Unmovable(call, "what update_and_mask returns is used; PEFT's update_and_allocate returns nothing")
        if not same_model(given["model"], found.model, file_map):
            raise Unmovable(call, f"{ast.unparse(given['model'])} is not told to be the model that the allocator got")
        found.updates.append((statement, given["model"], given["global_step"]))
    elif method == "set_total_step" and isinstance(statement, ast.Expr) and statement.value is call:
        found.totals.append((statement, arguments(call, ("total_step",), 1)["total_step"]))
    else:
        raise Unmovable(call, f"PEFT has nothing for {method}; rank_pattern of the configuration holds the masks")


def _result_unused(statement: ast.stmt, call: ast.Call, file_map: FileMap) -> bool:
    match statement:
        case ast.Expr(value=value):
            return value is call
        case ast.Assign(value=value, targets=[target]) if value is call:
            names = [one for one in ast.walk(target) if isinstance(one, ast.Name)]
            plain = all(isinstance(one, ast.Name | ast.Tuple | ast.Store) for one in ast.walk(target))
            return plain and not any(
                isinstance(use.ctx, ast.Load) for one in names for use in file_map.uses(one.id, one)
            )
    return False


def _handed(
    use: ast.expr,
    item: ast.expr | ast.keyword,
    call: ast.Call,
    found: Allocator,
    file_map: FileMap,
    seen: set[tuple[int, str]],
) -> None:
    """Follow the allocator into a function of the file, or into the Trainer of loralib's transformers."""
    if isinstance(item, ast.keyword) and item.arg == "rankallocator" and is_old_trainer(call, file_map):
        mine: list[ast.expr | ast.keyword] = [one for one in call.keywords if one.arg in OF_THE_FORK]
        if found.trainer is not None:
            raise Unmovable(call, "a second Trainer is handed the allocator")
        found.trainer = call
        found.edits += without([*call.args, *call.keywords], mine, file_map)
        return
    function = file_map.function_called(call)
    if function is None or isinstance(function, ast.Lambda) or any(isinstance(one, ast.Starred) for one in call.args):
        raise Unmovable(use, "the allocator is handed to something that this file does not show")
    listed = [*function.args.posonlyargs, *function.args.args]
    first = 1 if file_map.is_method(function) else 0
    if isinstance(item, ast.keyword):
        parameter = next((one for one in [*listed, *function.args.kwonlyargs] if one.arg == item.arg), None)
    else:
        index = call.args.index(item) + first
        parameter = listed[index] if index < len(listed) else None
    if parameter is None or len(call.args) + first > len(listed):
        raise Unmovable(use, "the allocator is handed to something that this file does not show")
    found.edits += without([*call.args, *call.keywords], [item], file_map)
    if (id(function), parameter.arg) in seen:
        return
    seen.add((id(function), parameter.arg))
    found.edits.append(_without_parameter(function, parameter, file_map))
    inner = function.body[0]
    if len(file_map.bindings(parameter.arg, inner)) > 1:
        raise Unmovable(parameter, f"{parameter.arg} is not always the allocator")
    _take(list(file_map.uses(parameter.arg, inner)), found, file_map, seen)


def _without_parameter(function: FunctionNode, parameter: ast.arg, file_map: FileMap) -> Edit:
    """Take a parameter out of a function.

    Raises:
        Unmovable: it stands beside a star or a slash.
    """
    from adalint.source import Edit, Span

    args = function.args
    if args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg:
        raise Unmovable(parameter, "the allocator is handed to a function with starred parameters")

    def place(node: ast.arg | ast.expr, *, end: bool) -> int:
        row, column = (node.end_lineno, node.end_col_offset) if end else (node.lineno, node.col_offset)
        return file_map.source.offset_at(row or node.lineno, column or 0)

    index = args.args.index(parameter)
    defaults = [*[None] * (len(args.args) - len(args.defaults)), *args.defaults]
    ends = [place(default or one, end=True) for one, default in zip(args.args, defaults, strict=True)]
    if index:
        return Edit(Span(ends[index - 1], ends[index]), "")
    stop = place(args.args[1], end=False) if len(args.args) > 1 else ends[0]
    return Edit(Span(place(parameter, end=False), stop), "")
