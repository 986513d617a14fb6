"""The orthogonal penalty in the loss: PEFT adds it to the model's own loss; beside any other loss it stays."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_names import arguments, seen_from
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from adalint.readers.python_scopes import FileMap

PENALTY: Final = "orthogonal_penalty"
PENALTY_TEXT: Final = f'''\
def {PENALTY}(model, regu_weight=0.1):
    """Tell how far P and Q of the triplets are from orthogonal: the mean of their Frobenius norms, weighted."""
    norms = []
    for name, factor in model.named_parameters():
        if "lora_A" in name or "lora_B" in name:
            gram = factor @ factor.T if "lora_A" in name else factor.T @ factor
            norms.append((gram - gram.new_ones(len(gram)).diag()).norm())
    return regu_weight * sum(norms) / len(norms)
'''
_DEFAULT: Final = "0.1"
"""`regu_weight` where it is not given."""


@dataclass(frozen=True, slots=True)
class Penalty:
    """How the penalty goes on: its weight in PEFT, edits, statements that go, and whether it needs its function."""

    weight: str
    edits: tuple[Edit, ...] = ()
    gone: tuple[ast.stmt, ...] = ()
    stays: bool = False


def penalty_of(calls: list[ast.Call], place: ast.expr, file_map: FileMap, *, peft_adds: bool) -> Penalty:
    """Tell what becomes of the penalties of a text; `peft_adds` where the model's own loss is known to PEFT.

    Raises:
        Unmovable: arguments are not shown.
    """
    if not calls:
        return Penalty("0.0")
    given = [arguments(call, ("model", "regu_weight"), 1) for call in calls]
    weights = [one.get("regu_weight") for one in given]
    texts = {_DEFAULT if one is None else ast.unparse(one) for one in weights}
    seen = all(one is None or seen_from(one, place, file_map) for one in weights)
    if peft_adds and len(texts) == 1 and seen:
        taken = [_taken_out(call, one["model"], file_map) for call, one in zip(calls, given, strict=True)]
        if all(one is not None for one in taken):
            edits = tuple(one for one in taken if isinstance(one, Edit))
            return Penalty(texts.pop(), edits, tuple(one for one in taken if isinstance(one, ast.stmt)))
    return Penalty("0.0", tuple(Edit(file_map.span(call.func), PENALTY) for call in calls), stays=True)


def _taken_out(call: ast.Call, model: ast.expr, file_map: FileMap) -> Edit | ast.stmt | None:
    """Take the penalty out of a sum with the model's own loss; None where it is another sum, or not always made."""
    if _is_conditional(call, file_map):
        return None
    match file_map.parent(call):
        case ast.BinOp(left=left, op=ast.Add(), right=right) as total:
            other = right if left is call else left
            if not _is_own_loss(other, model, file_map, but=None):
                return None
            return _without_sum(total, other, file_map)
        case ast.AugAssign(op=ast.Add(), target=ast.Name() as target) as statement:
            return statement if _is_own_loss(target, model, file_map, but=statement) else None
    return None


def _is_conditional(call: ast.Call, file_map: FileMap) -> bool:
    """Tell whether some rounds of a loop pass over the penalty, which PEFT would not."""
    for node in file_map.parents(call):
        if isinstance(node, ast.If | ast.IfExp | ast.BoolOp | ast.Try | ast.Match):
            return True
        if isinstance(node, ast.For | ast.While | ast.FunctionDef | ast.AsyncFunctionDef):
            return False
    return False


def _without_sum(total: ast.BinOp, other: ast.expr, file_map: FileMap) -> Edit | ast.stmt:
    """Write the loss in place of its sum with the penalty, without the parentheses that a sum needs."""
    parent = file_map.parent(total)
    if isinstance(parent, ast.Assign) and list(map(ast.unparse, parent.targets)) == [ast.unparse(other)]:
        return parent
    span = file_map.span(total)
    content = file_map.source.content
    around = content[span.start - 1 : span.start] + content[span.stop : span.stop + 1]
    if isinstance(parent, ast.Attribute) and around == b"()":
        span = Span(span.start - 1, span.stop + 1)
    return Edit(span, file_map.source.slice(file_map.span(other)))


def _is_own_loss(expr: ast.expr, model: ast.expr, file_map: FileMap, but: ast.stmt | None) -> bool:
    """Tell whether an expression is the model's `outputs.loss`, or a name for nothing else."""
    if isinstance(expr, ast.Attribute):
        return expr.attr == "loss" and _is_output(expr.value, model, file_map)
    if not isinstance(expr, ast.Name):
        return False
    # `loss = loss + penalty` binds the name anew.
    mine = (but, file_map.statement_of(expr))
    values = [one.value for one in file_map.bindings(expr.id, expr) if one.node not in mine]
    return len(values) == 1 and isinstance(values[0], ast.Attribute) and _is_own_loss(values[0], model, file_map, but)


def _is_output(expr: ast.expr, model: ast.expr, file_map: FileMap) -> bool:
    if isinstance(expr, ast.Name):
        binding = file_map.the_binding(expr.id, expr)
        return (
            binding is not None and isinstance(binding.value, ast.Call) and _is_output(binding.value, model, file_map)
        )
    return isinstance(expr, ast.Call) and ast.unparse(expr.func) == ast.unparse(model)
