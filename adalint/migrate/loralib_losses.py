"""The orthogonal penalty in the loss: PEFT adds it to the model's own loss; beside any other loss it stays."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_names import arguments, seen_from
from adalint.source import Edit

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
    given = [arguments(call, ("model", "regu_weight")) for call in calls]
    weights = [one.get("regu_weight") for one in given]
    texts = {_DEFAULT if one is None else ast.unparse(one) for one in weights}
    seen = all(one is None or seen_from(one, place, file_map) for one in weights)
    if peft_adds and len(texts) == 1 and seen:
        taken = [_taken_out(call, file_map) for call in calls]
        if all(one is not None for one in taken):
            edits = tuple(one for one in taken if isinstance(one, Edit))
            return Penalty(texts.pop(), edits, tuple(one for one in taken if isinstance(one, ast.stmt)))
    return Penalty("0.0", tuple(Edit(file_map.span(call.func), PENALTY) for call in calls), stays=True)


def _taken_out(call: ast.Call, file_map: FileMap) -> Edit | ast.stmt | None:
    """Take the penalty out of a sum with the model's own loss; None where the sum is another one."""
    match file_map.parent(call):
        case ast.BinOp(left=left, op=ast.Add(), right=right) as total:
            other = right if left is call else left
            if not _is_own_loss(other, file_map, but=None):
                return None
            return Edit(file_map.span(total), file_map.source.slice(file_map.span(other)))
        case ast.AugAssign(op=ast.Add(), target=ast.Name() as target) as statement:
            return statement if _is_own_loss(target, file_map, but=statement) else None
    return None


def _is_own_loss(expr: ast.expr, file_map: FileMap, but: ast.stmt | None) -> bool:
    """Tell whether an expression is `outputs.loss`, or a name for nothing else."""
    if isinstance(expr, ast.Attribute):
        return expr.attr == "loss" and not (isinstance(expr.value, ast.Name) and expr.value.id == "self")
    if not isinstance(expr, ast.Name):
        return False
    bindings = [one for one in file_map.bindings(expr.id, expr) if one.node is not but]
    statement = file_map.statement_of(expr)
    if len(bindings) == 1 and bindings[0].value is not None:
        return isinstance(bindings[0].value, ast.Attribute) and bindings[0].value.attr == "loss"
    # `loss = loss + penalty` binds the name anew.
    others = [one for one in bindings if one.node is not statement]
    return len(others) == 1 and isinstance(others[0].value, ast.Attribute) and others[0].value.attr == "loss"
