"""When Lightning calls a method, and what a file's `lightning.Trainer` is told of epochs and accumulation."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from adalint.plan import Event
from adalint.readers.python_counters import Index
from adalint.readers.python_shapes import last_name, parameters
from adalint.values import UNKNOWN, Literal

if TYPE_CHECKING:
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_iterations import Happening
    from adalint.readers.python_scopes import FileMap
    from adalint.readers.python_step_hooks import StepHook

PACKAGES: Final = frozenset({"lightning", "pytorch_lightning"})
Method: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_CLEAR, _BACKWARD, _STEP, _ALLOCATE = Event.ZERO_GRAD, Event.BACKWARD, Event.STEP, Event.ALLOCATE
BEFORE_STEP: Final = (_CLEAR, _BACKWARD, _ALLOCATE, _STEP)
_AFTER: Final = (_CLEAR, _BACKWARD, _STEP, _ALLOCATE)
CLOSURE_LATER: Final = (_ALLOCATE, _CLEAR, _BACKWARD, _STEP)

HOOKS: Final = {
    "on_before_optimizer_step": (BEFORE_STEP, 0),
    "on_after_backward": (BEFORE_STEP, 0),
    "on_train_batch_end": (_AFTER, 1),
    # Within it the step that has just been made is not counted yet.
    "optimizer_step": (_AFTER, 0),
    "on_train_batch_start": (CLOSURE_LATER, 0),
    "on_before_zero_grad": (CLOSURE_LATER, 0),
    "on_before_backward": ((_CLEAR, _ALLOCATE, _BACKWARD, _STEP), 0),
    "training_step": (CLOSURE_LATER, 0),
    "on_train_epoch_end": None,
}
"""The order of events around a call in a method, and the first `global_step` there; None where it varies.

The optimizer's step calls the closure that makes the forward pass, clears the gradients and makes the backward pass.
"""

PER_BATCH: Final = frozenset({"on_train_batch_end", "on_after_backward"})
"""Methods that come with each backward pass, of which several may make one step."""

_ACCUMULATION: Final = "accumulate_grad_batches"


class LightningRuns:
    """What one file says of the runs of Lightning's Trainer."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.map = flow.map

    @cached_property
    def trainer(self) -> ast.Call | None:
        """The one call that makes a Trainer and shows all that it is given; None where there is none, or several."""
        paths = [(call, self.map.path_of(call.func) or "") for call in self.map.calls()]
        made = [call for call, path in paths if path.partition(".")[0] in PACKAGES and path.endswith(".Trainer")]
        if len(made) != 1 or made[0].args or any(one.arg is None for one in made[0].keywords):
            return None
        return made[0]

    @cached_property
    def accumulation(self) -> int | None:
        """The number of backward passes for one optimizer step; None where the file does not tell."""
        said = self.map.source.content.count(_ACCUMULATION.encode())
        if self.trainer is None:
            return None if said or b"GradientAccumulationScheduler" in self.map.source.content else 1
        if b"GradientAccumulationScheduler" in self.map.source.content:
            return None
        given = self._given(_ACCUMULATION)
        if given is None:
            return None if said else 1
        worth = self.flow.value(given)
        is_number = isinstance(worth, Literal) and type(worth.value) is int and worth.value > 0
        return worth.value if is_number and isinstance(worth, Literal) else None

    def _given(self, name: str) -> ast.expr | None:
        keywords = [] if self.trainer is None else self.trainer.keywords
        return next((one.value for one in keywords if one.arg == name), None)

    @property
    def has_epochs(self) -> bool:
        """Whether the run is told to have several epochs, and no other end."""
        given = self._given("max_epochs")
        worth = UNKNOWN if given is None else self.flow.value(given)
        several = isinstance(worth, Literal) and type(worth.value) is int and worth.value > 1
        return several and self._given("max_steps") is None and self._given("limit_train_batches") is None

    def moment(self, method: Method, call: Happening) -> tuple[tuple[Event, ...], int] | None:
        """Tell what happens around a call in a method with each step, and the first `global_step` there."""
        known = HOOKS[method.name]
        if known is None or method.name == "optimizer_step":
            order = None if known is None else _order_in(method, call)
            return None if order is None else (order, 0)
        # A module that makes its steps itself decides when they come.
        is_led = b"automatic_optimization" not in self.map.source.content
        return known if is_led or known[0] == _AFTER else None

    def index_in(self, method: Method) -> Index | None:
        """Give the index of the batch that a method is handed, where each batch makes a step."""
        named = "batch_idx" in parameters(method)
        return Index("batch_idx", 0) if named and self.trainer is not None and self.accumulation == 1 else None


def is_led_by_closure(hook: StepHook, file_map: FileMap) -> bool:
    """Tell whether a hook before the step is set in a module of Lightning, whose steps make the gradients."""
    if not hook.is_before or b"automatic_optimization" in file_map.source.content:
        return False
    classes = (one for one in file_map.parents(hook.call) if isinstance(one, ast.ClassDef))
    paths = (file_map.path_of(base) or "" for one in classes for base in one.bases)
    return any(path.partition(".")[0] in PACKAGES for path in paths)


def _order_in(method: Method, call: Happening) -> tuple[Event, ...] | None:
    """Tell the order of events around a call in `optimizer_step`: what it calls there makes the step."""
    at = _place(call.around.inlined[0] if call.around.inlined else call.statement)
    calls = [part for part in ast.walk(method) if isinstance(part, ast.Call)]
    steps = [_place(one) for one in calls if _is_step(one)]
    closures = [_place(one) for one in calls if _is_closure(one, method)]
    if any(one < at for one in steps):
        return _AFTER
    if any(one < at for one in closures):
        return BEFORE_STEP
    return CLOSURE_LATER if steps and not call.around.tests else None


def _place(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _is_step(part: ast.Call) -> bool:
    match part:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=owner), attr="optimizer_step")):
            return last_name(owner) == "super"
        case ast.Call(func=ast.Attribute(attr="step", value=owner)):
            return "optim" in last_name(owner).lower() or last_name(owner) == "opt"
    return False


def _is_closure(part: ast.Call, method: Method) -> bool:
    """Tell whether a node calls the closure that a method is handed."""
    match part:
        case ast.Call(func=ast.Name(id=name)):
            return "closure" in name and name in parameters(method)
    return False
