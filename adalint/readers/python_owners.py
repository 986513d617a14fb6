"""Whose gradients an event of a training loop touches, where several models are trained in one loop.

An optimizer belongs to the model whose `parameters()` it was made over. Where the text does not tell, every possibility
stays open: an optimizer is left aside only when it is known to be another model's and the model's own one is in sight.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.plan import Event
from adalint.readers.python_bindings import children_of
from adalint.readers.python_definitions import Assigned
from adalint.readers.python_lineage import FOLLOWED, Lineage, path_text, values_in
from adalint.readers.python_scopes import dotted
from adalint.readers.python_shapes import given_argument, only_return
from adalint.readers.python_things import Thing
from adalint.values import UNKNOWN, Kleene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.python_iterations import Happening, Iteration
    from adalint.readers.python_lineage import Key
    from adalint.readers.python_scopes import FunctionNode
    from adalint.readers.python_things import Things

_CLEARING: Final = frozenset({Event.ZERO_GRAD, Event.ZERO_FILL})
_PARAMETERS: Final = frozenset({"parameters", "named_parameters"})
_FILLED_LATER: Final = (ast.List, ast.Dict, ast.Set)
"""Containers, which may get more than what stands in them."""


class Owners:
    """Tells of the events of one iteration whether they are those of one model."""

    def __init__(self, model: ast.expr, things: Things) -> None:
        self.things = things
        self.map = things.map
        self._lineage = Lineage(model, things)
        self._others: set[Key] = set()
        """The models of optimizers that are known not to be this model's, and what those were made of."""

    def own(self, iteration: Iteration) -> Iteration:
        """Leave out of an iteration what only other models take part in.

        Where one optimizer alone makes the steps, or none is left for the model, all of it stays.
        """
        steps = {self._key(one): self._owns(one) for one in iteration.of(Event.STEP)}
        if len(steps) < 2 or all(owned is False for owned in steps.values()):
            return iteration
        return _only(iteration, [one for one in iteration.happenings if self._stays(one)])

    def is_cleared(self, iteration: Iteration) -> bool:
        """Tell whether a clearing before the allocator's call is sure to be one of the model's gradients.

        It is where one optimizer makes the steps, or all of them are the model's, or every one has been cleared.
        """
        steps = {self._key(one): self._owns(one) for one in iteration.of(Event.STEP)}
        if len(steps) < 2 or all(owned is True for owned in steps.values()):
            return True
        cleared: set[Key] = set()
        happenings = iteration.happenings
        at = next((at for at, one in enumerate(happenings) if one.event is Event.ALLOCATE), len(happenings))
        for one in reversed([*happenings[at + 1 :], *happenings[:at]]):
            if one.event is Event.BACKWARD:
                break
            if one.event in _CLEARING:
                if self._owns(one) is True:
                    return True
                cleared.add(self._key(one))
        return steps.keys() <= cleared

    def keeps_gradients(self, iteration: Iteration) -> bool:
        """Tell whether the model's gradients are there below the last step: no other optimizer's turn clears them."""
        happenings = iteration.happenings
        steps = [at for at, one in enumerate(happenings) if one.event is Event.STEP]
        if len({self._key(happenings[at]) for at in steps}) < 2:
            return True
        return not any(one.event in _CLEARING for one in happenings[steps[0] : steps[-1]])

    def _stays(self, one: Happening) -> bool:
        if one.event is Event.BACKWARD:
            return not self._is_of_others(one)
        return not (one.event is Event.STEP or one.event in _CLEARING) or self._owns(one) is not False

    # ── optimizers ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _key(self, one: Happening) -> Key:
        """Tell optimizers apart; one that a helper is handed is another with each call of the helper."""
        owner = _owner(one)
        if owner is None:
            return one.statement
        made = self.things.made(owner)
        if made is not None and self.things.of(owner) is Thing.OPTIMIZER:
            return made
        inlined = one.around.inlined[-1] if one.around.inlined else self._lineage.scope_of(self._lineage.primary(owner))
        return inlined, path_text(owner)

    def _owns(self, one: Happening) -> Kleene:
        """Tell whether an optimizer, or a model whose gradients are cleared, is the model's."""
        owner = _owner(one)
        if owner is None:
            return UNKNOWN
        made = self.things.made(owner)
        if self.things.of(owner) is not Thing.OPTIMIZER and one.event is not Event.STEP:
            related = self._lineage.relation(owner)
            return UNKNOWN if related is False and self._lineage.primary(owner) not in self._others else related
        if made is None or self.map.attributes_named("add_param_group"):
            return UNKNOWN
        function = self.map.function_called(made)
        built = made if function is None else only_return(function)
        if not isinstance(built, ast.Call):
            return UNKNOWN
        given = next((word.value for word in built.keywords if word.arg == "params"), None)
        given = built.args[0] if given is None and built.args else given
        return UNKNOWN if given is None else self._owns_all(given, made, function)

    def _owns_all(self, given: ast.expr, made: ast.Call, function: FunctionNode | None) -> Kleene:
        """Tell whether the weights that an optimizer is given are the model's: any of them, or none.

        A function that makes optimizers takes those of the model that it is called with.
        """
        sources: list[ast.expr] = []
        told = self._collect(given, sources, set())
        if function is not None:
            bound = self.map.is_method(function)
            handed = [
                given_argument(function, made, one.id, bound=bound) if isinstance(one, ast.Name) else None
                for one in sources
            ]
            told = told and None not in handed
            sources = [one for one in handed if one is not None]
        if not told or not sources:
            return True if any(self._lineage.relation(one) is True for one in sources) else UNKNOWN
        related = [self._lineage.relation(one) for one in sources]
        if True in related:
            return True
        if any(one is not False for one in related):
            return UNKNOWN
        self._others |= {key for one in sources for key in self._lineage.line_of(one)}
        return False

    def _collect(self, node: ast.AST, into: list[ast.expr], seen: set[ast.AST]) -> bool:
        """Collect the models whose `parameters()` an expression takes; False where something else may add weights."""
        if node in seen or len(seen) > FOLLOWED:
            return len(seen) <= FOLLOWED
        seen.add(node)
        match node:
            case ast.Call(func=ast.Attribute(value=model, attr=attr)) if attr in _PARAMETERS:
                into.append(model)
                return True
            case ast.Constant() | ast.Lambda():
                return True
            case ast.Name(id=name):
                if self._is_filled_later(name, node):
                    return False
                values = [one.value for one in self.map.bindings(name, node)]
                return bool(values) and all(value is not None and self._collect(value, into, seen) for value in values)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return self._collect_all(parts, into, seen)
            case ast.Dict(keys=keys, values=parts):
                weights = [
                    part
                    for key, part in zip(keys, parts, strict=True)
                    if key is None or (isinstance(key, ast.Constant) and key.value == "params")
                ]
                return self._collect_all(weights, into, seen)
            case ast.Starred(value=inner) | ast.Subscript(value=inner):
                return self._collect(inner, into, seen)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._collect_all([left, right], into, seen)
            case ast.ListComp(generators=generators) | ast.GeneratorExp(generators=generators):
                return self._collect_all([one.iter for one in generators], into, seen)
            case ast.Call(func=ast.Name(id="list" | "tuple" | "iter" | "filter" | "set"), args=parts):
                return self._collect_all(parts, into, seen)
            case ast.Call(func=func, args=parts) if dotted(func).rpartition(".")[2] == "chain":
                return self._collect_all(parts, into, seen)
        return False

    def _is_filled_later(self, name: str, at: ast.Name) -> bool:
        """Tell whether a list gets more than what it is made with."""
        around = (self.map.parent(one) for one in self.map.uses(name, at))
        return any(isinstance(one, ast.Attribute) and one.attr in {"append", "extend", "insert"} for one in around)

    def _collect_all(self, parts: Sequence[ast.expr], into: list[ast.expr], seen: set[ast.AST]) -> bool:
        told = [self._collect(part, into, seen) for part in parts]
        return all(told)

    # ── backward passes ──────────────────────────────────────────────────────────────────────────────────────────────

    def _is_of_others(self, one: Happening) -> bool:
        """Tell whether a backward pass is sure to stay away from the model: its loss comes from other models alone."""
        match one.node:
            case ast.Call(func=ast.Attribute(value=owner), args=args):
                of_owner = self.things.of(owner) in {Thing.ACCELERATOR, Thing.ENGINE} or dotted(owner) == "self"
                loss = args[0] if args and of_owner else owner
            case _:
                return False
        is_another = False
        pending: list[ast.AST] = [loss]
        seen: set[ast.AST] = set()
        while pending:
            node = pending.pop()
            if node in seen:
                continue
            seen.add(node)
            if len(seen) > 4 * FOLLOWED:
                return False
            match node:
                case ast.Call(func=ast.Attribute(attr="detach" | "item")):
                    continue
                case ast.Call() if self.map.function_called(node) is not None:
                    return False
                case ast.Call(func=ast.Name() | ast.Attribute() as func) if self._may_be_model(func):
                    if self._lineage.relation(func) is not False:
                        return False
                    is_another = is_another or self._lineage.primary(func) in self._others
                    pending += [*node.args, *(word.value for word in node.keywords)]
                    continue
                case ast.Name() | ast.Attribute() if self._lineage.is_same(node) is not False:
                    return False
            following = self._followed(node)
            if isinstance(node, ast.Name | ast.Attribute) and any(isinstance(one, _FILLED_LATER) for one in following):
                return False
            pending += following
        return is_another

    def _may_be_model(self, func: ast.expr) -> bool:
        """Tell whether what is called may be a model, not a method or a function of a library."""
        if self.map.path_of(func) is not None:
            return False
        return isinstance(func, ast.Name) or dotted(func).startswith("self.")

    def _followed(self, node: ast.AST) -> Sequence[ast.AST]:
        """Give what a part of a loss is made of: what its name, or the attribute of its object, may hold."""
        match node:
            case ast.Name(id=name):
                found = self.things.flow.definition(name, node)
                if isinstance(found, Assigned):
                    return [found.value]
                return [value for one in self.map.bindings(name, node) for value in values_in(one.node)]
            case ast.Attribute(value=ast.Name(id="self"), attr=attr):
                stores = [self.map.statement_of(one) for one in self.map.attribute_stores(attr)]
                return [value for one in stores if one is not None for value in values_in(one)]
        return children_of(node)


def _owner(one: Happening) -> ast.expr | None:
    """Give what a step or a clearing is of: the optimizer, also of `scaler.step(optimizer)`, or the model."""
    match one.node:
        case ast.Call(func=ast.Attribute(attr="step", value=value), args=[ast.Name() | ast.Attribute() as given]):
            return given if "scaler" in dotted(value).lower() else value
        case ast.Call(func=ast.Attribute(attr="step" | "zero_grad", value=value)):
            return value
    return None


def _only(iteration: Iteration, kept: list[Happening]) -> Iteration:
    """Give an iteration with some of its happenings, its counters at their places among them."""
    if len(kept) == len(iteration.happenings):
        return iteration
    staying = {id(one) for one in kept}
    before = [0]
    for one in iteration.happenings:
        before.append(before[-1] + (id(one) in staying))
    counts = [replace(count, after=before[count.after]) for count in iteration.counts]
    return replace(iteration, happenings=kept, counts=counts)
