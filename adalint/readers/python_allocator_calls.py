"""The calls of the allocator: on which model, with what around them, in which hook."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.readers.python_counters import argument_of
from adalint.readers.python_lightning import CLOSURE_LATER, is_led_by_closure
from adalint.readers.python_scopes import dotted
from adalint.readers.python_shapes import last_name
from adalint.readers.python_wrapping import is_loaded
from adalint.source import Span
from adalint.training import AllocatorCall, Counting, GuardPlace, Hook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.python_flow import Flow
    from adalint.readers.python_iterations import Happening
    from adalint.readers.python_scopes import FileMap
    from adalint.readers.python_step_hooks import StepHook
    from adalint.readers.python_things import Things


def model_of(call: ast.AST) -> ast.expr | None:
    """Give the model that the allocator is called on, without `.base_model` or `.module`."""
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return None
    owner = call.func.value
    while isinstance(owner, ast.Attribute) and owner.attr in {"base_model", "module", "_orig_mod"}:
        owner = owner.value
    return owner.args[0] if isinstance(owner, ast.Call) and "unwrap" in last_name(owner.func) and owner.args else owner


def wrap_of(model: ast.expr | None, things: Things) -> ast.Call | None:
    """Find the call of `get_peft_model` that returned a model."""
    made = None if model is None else things.made(model)
    return made if made in things.map.wraps else None


def loaded_to_train(model: ast.expr | None, things: Things) -> Span | None:
    """Find the `from_pretrained(…, is_trainable=True)` that loaded a model."""
    made = None if model is None else things.made(model)
    if made is None or not is_loaded(made, things.map):
        return None
    trainable = next((one.value for one in made.keywords if one.arg == "is_trainable"), None)
    is_trained = isinstance(trainable, ast.Constant) and trainable.value is True
    return things.map.span(made) if is_trained else None


def hook_of_step(hook: StepHook, file_map: FileMap) -> Hook:
    """Describe what is registered to run with an optimizer's steps; a finding points at the name of the moment."""
    stop = file_map.span(hook.call.func).stop
    word = Span(stop - len(hook.name), stop)
    made = Hook(hook.name, file_map.span(hook.call), word, dotted(hook.optimizer), "torch")
    return replace(made, framework="lightning", order=CLOSURE_LATER) if is_led_by_closure(hook, file_map) else made


def described_call(
    call: Happening, counting: Counting, guards: Sequence[GuardPlace], flow: Flow, things: Things
) -> AllocatorCall:
    """Describe an allocator call where it stands."""
    argument = argument_of(call)
    owner = model_of(call.node)
    swallowed = call.around.swallowed
    return AllocatorCall(
        span=flow.map.span(call.node),
        hook=None if call.around.hooked is None else hook_of_step(call.around.hooked, flow.map),
        statement=flow.map.span(call.statement),
        owner="" if owner is None else dotted(owner),
        argument=None if argument is None else flow.map.span(argument),
        counting=counting,
        guards=tuple(guards),
        swallowed=None if swallowed is None else swallowed[0],
        swallower=None if swallowed is None else flow.map.span(swallowed[1]),  # type: ignore[arg-type]
        wrapped=_wrapper(call, things),
    )


WRAPPERS: Final = frozenset({"DistributedDataParallel", "DDP", "FullyShardedDataParallel", "FSDP", "DataParallel"})


def _wrapper(call: Happening, things: Things) -> str | None:
    """Name the class that the model is explicitly wrapped in where the allocator is called on it as it is."""
    if not (isinstance(call.node, ast.Call) and isinstance(call.node.func, ast.Attribute)):
        return None
    owner = call.node.func.value
    if isinstance(owner, ast.Attribute) and owner.attr == "base_model":
        owner = owner.value
    made = things.made(owner) if isinstance(owner, ast.Name) else None
    path = None if made is None else things.map.path_of(made.func)
    name = (path or "").rpartition(".")[2]
    return name if path and path.startswith("torch.") and name in WRAPPERS else None
