"""Functions that a file has PyTorch call before or after each step of an optimizer."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from adalint.readers.python_lineage import Lineage
from adalint.readers.python_scopes import FUNCTIONS, dotted
from adalint.readers.python_shapes import last_name
from adalint.values import UNKNOWN, Kleene

if TYPE_CHECKING:
    from adalint.readers.python_scopes import FunctionNode
    from adalint.readers.python_things import Things

BEFORE: Final = "register_step_pre_hook"
AFTER: Final = "register_step_post_hook"
_SIGN: Final = b"register_step_p"
_FOLLOWED: Final = 4


@dataclass(frozen=True, slots=True)
class StepHook:
    """One registration of a function that runs with each step of an optimizer; `function` is None if unseen."""

    call: ast.Call
    optimizer: ast.expr
    name: str
    function: FunctionNode | None

    @property
    def is_before(self) -> bool:
        """Whether the function runs before the step."""
        return self.name == BEFORE


class StepHooks:
    """The step hooks of one file."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self.map = things.map

    @cached_property
    def registered(self) -> list[StepHook]:
        """List all registrations."""
        if _SIGN not in self.map.source.content:
            return []
        found = []
        for attribute in (*self.map.attributes_named(BEFORE), *self.map.attributes_named(AFTER)):
            call = self.map.parent(attribute)
            if isinstance(call, ast.Call) and call.func is attribute:
                given = call.args[0] if call.args else next((one.value for one in call.keywords), None)
                function = None if given is None else self._function(given)
                found.append(StepHook(call, attribute.value, attribute.attr, function))
        return found

    def is_of(self, hook: StepHook, optimizer: ast.expr) -> Kleene:
        """Tell whether a hook runs with the steps of an optimizer."""
        if not isinstance(self.map.parent(hook.call), ast.Expr) and self.map.attributes_named("remove"):
            return UNKNOWN
        lineage = Lineage(hook.optimizer, self.things)
        here, there = lineage.primary(hook.optimizer), lineage.primary(optimizer)
        if here == there:
            return True
        return False if isinstance(here, ast.Call) and isinstance(there, ast.Call) else UNKNOWN

    def around(self, node: ast.AST) -> StepHook | None:
        """Find the one hook in whose function a node stands."""
        parents = set(self.map.parents(node))
        hooks = [one for one in self.registered if one.function in parents]
        return hooks[0] if len(hooks) == 1 else None

    def _function(self, given: ast.expr, depth: int = 0) -> FunctionNode | None:
        """Find the function that is registered: written there, named, bound to an object, or made by another one."""
        match given:
            case _ if depth > _FOLLOWED:
                return None
            case ast.Lambda():
                return given
            case ast.Name(id=name):
                binding = self.map.the_binding(name, given)
                if binding is not None and isinstance(binding.node, FUNCTIONS):
                    return binding.node
                return None if binding is None or binding.value is None else self._function(binding.value, depth + 1)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                owner = self.map.class_of(self.map.frame_of(given))
                methods = [] if owner is None else owner.body
                return next((one for one in methods if isinstance(one, FUNCTIONS) and one.name == name), None)
            case ast.Call(func=func, args=[inner, *_]) if last_name(func) == "partial":
                return self._function(inner, depth + 1)
            case ast.Call():
                maker = self.map.function_called(given)
                last = None if maker is None or isinstance(maker, ast.Lambda) else maker.body[-1]
                if isinstance(last, ast.Return) and isinstance(last.value, ast.Name | ast.Lambda):
                    return self._function(last.value, depth + 1)
        return None


def optimizer_of(step: ast.Call) -> ast.expr | None:
    """Give the optimizer that a call makes a step of: what it is called on, or what a scaler is given."""
    match step:
        case ast.Call(func=ast.Attribute(value=owner), args=[ast.Name() | ast.Attribute() as given, *_]):
            return given if "scaler" in dotted(owner).lower() else owner
        case ast.Call(func=ast.Attribute(value=owner)):
            return owner
    return None
