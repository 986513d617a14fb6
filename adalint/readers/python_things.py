"""What an expression of a training script stands for: an optimizer, a scaler, an engine, the AdaLoRA model.

Constructors tell best; where none is in sight, names do, since everybody calls an optimizer one.
"""

from __future__ import annotations

import ast
import re
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from adalint.readers.python_scopes import dotted
from adalint.readers.python_shapes import last_name, path_in
from adalint.readers.python_worlds import World

if TYPE_CHECKING:
    from adalint.readers.python_flow import Flow


class Thing(Enum):
    """What the methods of an object mean for a training loop."""

    OPTIMIZER = auto()
    SCHEDULER = auto()
    """Its `step` does not touch the model: a learning rate, a profiler, a progress bar."""
    SCALER = auto()
    ACCELERATOR = auto()
    ENGINE = auto()
    """It makes the steps itself, in an order of its own: DeepSpeed and the like."""
    TRAINER = auto()
    MODEL = auto()
    """What `get_peft_model` returned for a configuration of AdaLoRA."""
    OTHER_MODEL = auto()
    """A model that is known not to be trained with AdaLoRA."""
    UNKNOWN = auto()


_OPTIMIZER: Final = re.compile(
    r"(?i)optim|^opts?\d*$|^_?opt_|_opts?$"
    r"|(adam\w*|adamax|sgd|adafactor|adagrad|adadelta|lion|lamb|rmsprop|prodigy|came|muon)(8bit)?$"
)
_SCHEDULER: Final = re.compile(r"(?i)sched|^lr_|prof|bar$|progress|^env|ema$|metric|timer|meter|tracker|warmup")
_RETURN_THEIR_OWNER: Final = frozenset(
    {"to", "cuda", "cpu", "train", "eval", "half", "float", "bfloat16", "requires_grad_"}
)
"""Methods of a module that return it: what they are called on was made elsewhere."""

_CHAINED: Final = 8
_ENGINE: Final = re.compile(r"(?i)engine|deepspeed")


class Things:
    """Asks what expressions of one file stand for; each is looked at once."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.map = flow.map
        self._known: dict[ast.expr, Thing] = {}

    def of(self, node: ast.expr) -> Thing:
        """Tell what an expression stands for, by its constructor, else by its name."""
        if node not in self._known:
            self._known[node] = Thing.UNKNOWN
            self._known[node] = self._look(node)
        return self._known[node]

    def _look(self, node: ast.expr) -> Thing:
        made = self.made(node)
        if made is not None:
            thing = self._of_constructor(made)
            if thing is not Thing.UNKNOWN:
                return thing
        return _by_name(_name(node))

    def made(self, node: ast.expr) -> ast.Call | None:
        """Find the call that made what an expression stands for, through names, wrappers and `prepare`."""
        for _ in range(_CHAINED):
            target = self.flow.target(node)
            if target is None:
                target = self.prepared(node)
            if not isinstance(target, ast.Call):
                return None
            if not (isinstance(target.func, ast.Attribute) and target.func.attr in _RETURN_THEIR_OWNER):
                return target
            node = target.func.value
        return None

    def prepared(self, node: ast.expr) -> ast.expr | None:
        """Follow `model, optimizer = accelerator.prepare(model, optimizer)` to what was given."""
        if not isinstance(node, ast.Name):
            return None
        for binding in self.map.bindings(node.id, node):
            match binding.node:
                case ast.Assign(targets=[ast.Tuple() as target], value=ast.Call(func=ast.Attribute(attr=attr)) as call):
                    path = path_in(target, node.id)
                    if attr in {"prepare", "setup"} and path and len(path) == 1 and path[0] < len(call.args):
                        return self.flow.target(call.args[path[0]])
        return None

    def _of_constructor(self, call: ast.Call) -> Thing:
        path = self.map.path_of(call.func) or ""
        name = path.rpartition(".")[2] or last_name(call.func)
        if path.startswith("deepspeed."):
            return Thing.ENGINE
        if ".lr_scheduler." in path or "scheduler" in name.lower() or ".profiler." in path:
            return Thing.SCHEDULER
        if name == "Accelerator":
            return Thing.ACCELERATOR
        if name == "Fabric":
            return Thing.ACCELERATOR
        if name.endswith("GradScaler"):
            return Thing.SCALER
        if name.endswith("Trainer"):
            return Thing.TRAINER
        if path.startswith("torch.optim.") or _OPTIMIZER.search(name):
            return Thing.OPTIMIZER
        return Thing.UNKNOWN


def _name(node: ast.expr) -> str:
    """Give the name that tells most: `optimizer` of `self.optimizer`, `optimizers` of `optimizers[0]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call):
        return last_name(node.func)
    return (dotted(node) or last_name(node)).rpartition(".")[2]


def _by_name(name: str) -> Thing:
    if _SCHEDULER.search(name):
        return Thing.SCHEDULER
    if _ENGINE.search(name):
        return Thing.ENGINE
    if re.search(r"(?i)scaler$", name):
        return Thing.SCALER
    if re.search(r"(?i)^accelerator$|^fabric$", name):
        return Thing.ACCELERATOR
    if re.search(r"(?i)trainer$", name):
        return Thing.TRAINER
    return Thing.OPTIMIZER if _OPTIMIZER.search(name) else Thing.UNKNOWN


def blind() -> World:
    """Give the world in which nothing is decided: what depends on a branch is unknown."""
    return World(blind=True)
