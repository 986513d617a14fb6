"""Which loss a loop of the file's own trains: the model's, to which PEFT adds its penalty, or another one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.readers.python_allocator_calls import wrap_of
from adalint.training import Use, UseKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_things import Things

_FOLLOWED: Final = 6


def bypassing_uses(things: Things) -> dict[ast.Call, tuple[Use, ...]]:
    """Find the losses that pass the model's own by, by the call that made the model."""
    found: dict[ast.Call, list[Use]] = {}
    for node in (*things.map.attributes_named("backward"), *things.map.attributes_named("manual_backward")):
        call = things.map.parent(node)
        if isinstance(call, ast.Call) and call.func is node:
            for wrap, use in _bypassing(call.args[0] if call.args else node.value, things):
                found.setdefault(wrap, []).append(use)
    return {wrap: tuple(uses) for wrap, uses in found.items()}


def _bypassing(loss: ast.expr, things: Things) -> Iterator[tuple[ast.Call, Use]]:
    made = _made(loss, things)
    match made:
        case ast.Subscript(value=owner, slice=ast.Constant(value=0)):
            call = _followed(owner, things)
            wrap = _wrap_called(call, things)
            if isinstance(call, ast.Call) and wrap is not None and _gives_a_tuple(call):
                yield wrap, Use(UseKind.PENALTY_BYPASSED, things.map.span(call), {"tuple": "return_dict=False"})
        case ast.Call() if _is_loss_function(made, things):
            for given in made.args:
                wrap = _logits_of(given, things)
                if wrap is not None:
                    name = ast.unparse(made.func)
                    yield wrap, Use(UseKind.PENALTY_BYPASSED, things.map.span(made), {"logits": name})


def _made(loss: ast.expr, things: Things) -> ast.expr:
    """Follow a loss to what computes it, through names, `loss / n` and `scaler.scale(loss)`."""
    for _ in range(_FOLLOWED):
        match loss:
            case ast.BinOp(left=left, op=ast.Div()):
                loss = left
            case ast.Call(func=ast.Attribute(attr="scale"), args=[inner]):
                loss = inner
            case ast.Name():
                following = _followed(loss, things)
                if following is loss:
                    return loss
                loss = following
            case _:
                return loss
    return loss


def _followed(node: ast.expr, things: Things) -> ast.expr:
    """Follow a name by one assignment."""
    if isinstance(node, ast.Name):
        found = things.flow.definition(node.id, node)
        following = None if found is None else things.flow.follow(found)
        return following or node
    return node


def _wrap_called(call: ast.expr, things: Things) -> ast.Call | None:
    """Give what made the model that a call runs forward."""
    return wrap_of(call.func, things) if isinstance(call, ast.Call) else None


def _gives_a_tuple(call: ast.Call) -> bool:
    return any(
        one.arg == "return_dict" and isinstance(one.value, ast.Constant) and one.value.value is False
        for one in call.keywords
    )


def _is_loss_function(call: ast.Call, things: Things) -> bool:
    """Tell whether a call is of one of PyTorch's losses."""
    path = things.map.path_of(call.func) or ""
    if path.startswith("torch.nn.functional."):
        return True
    made = things.made(call.func)
    path = "" if made is None else things.map.path_of(made.func) or ""
    return path.startswith("torch.nn.") and path.endswith("Loss")


def _logits_of(given: ast.expr, things: Things) -> ast.Call | None:
    """Find the model whose logits an argument is made of."""
    for part in ast.walk(given):
        node = _followed(part, things) if isinstance(part, ast.Name) else part
        match node:
            case (
                ast.Attribute(attr="logits", value=owner)
                | ast.Subscript(value=owner, slice=ast.Constant(value="logits"))
            ):
                wrap = _wrap_called(_followed(owner, things), things)
                if wrap is not None:
                    return wrap
    return None
