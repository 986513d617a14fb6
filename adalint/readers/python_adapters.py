"""How the adapters of a Python file come onto their models: the wrap, its name, further adapters."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from adalint.readers.python_models import argument, without_base
from adalint.readers.python_moments import is_bound_between, is_in_test, loops_over, may_fail, runs_before, seen_from
from adalint.readers.python_scopes import dotted
from adalint.readers.python_shapes import last_name
from adalint.readers.python_wrapping import configurations_of, number_of
from adalint.training import UseKind
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adalint.readers.python_models import Models
    from adalint.training import Use


_OTHER_WAYS: Final = (b"RankAllocator", b"set_peft_model_state_dict", b"delete_adapter")
"""Who names these trains without a PeftModel, loads what was trained, or takes adapters off again."""


class Adapters:
    """What one file does to put adapters onto models."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.map = models.map

    def uses(self) -> Iterator[tuple[int, Use]]:
        """Find what is done, by the number of the configuration."""
        for wrap, number in self.models.wraps.items():
            yield from ((number, use) for use in self._of_wrap(wrap, number))
        for owner, call in self.models.calls_of("add_adapter"):
            yield from self._added(owner, call)
        for owner, call in self.models.calls_of("add_weighted_adapter"):
            merged = self.models.number(without_base(owner))
            if merged is not None and not may_fail(call, self.map):
                yield merged, self.models.use(UseKind.WEIGHTED_MERGE, call)
        yield from self._injected()

    def _of_wrap(self, wrap: ast.Call, number: int) -> Iterator[Use]:
        if self._is_dropped(wrap) and self._goes_on_with(wrap.args[0], wrap):
            yield self.models.use(UseKind.DISCARDED_WRAP, wrap)
        name = argument(wrap, 2, "adapter_name")
        if name is not None:
            yield from self._named(name, wrap)
        again = self._given_before(wrap, number)
        if again is not None:
            yield self.models.use(UseKind.CONFIG_REUSED, wrap, **again)

    def _is_dropped(self, wrap: ast.Call) -> bool:
        """Tell whether nothing takes what `get_peft_model` returns."""
        match self.map.parent(wrap):
            case ast.Expr() | ast.Assign(targets=[ast.Name(id="_")]):
                return bool(wrap.args) and not is_in_test(wrap, self.map) and not may_fail(wrap, self.map)
        return False

    def _goes_on_with(self, given: ast.expr, wrap: ast.Call) -> bool:
        """Tell whether a file that trains hands the model on that it has wrapped."""
        text = self.map.source.content
        if not isinstance(given, ast.Name) or not (b".backward(" in text or b".train()" in text or b"Trainer(" in text):
            return False
        return any(
            isinstance(self.map.parent(one), ast.Call | ast.keyword | ast.Attribute)
            and runs_before(wrap, one, self.map)
            and not is_bound_between(one.id, wrap, one, self.map)
            for one in self.map.uses(given.id, given)
        )

    def _named(self, name: ast.expr, call: ast.Call) -> Iterator[Use]:
        worth = self.models.things.flow.value(name)
        if isinstance(worth, Literal) and isinstance(worth.value, str):
            yield self.models.use(UseKind.ADAPTER_NAME, call, adapter_name=worth.value)

    def _given_before(self, wrap: ast.Call, number: int) -> dict[str, object] | None:
        """Tell whether a model was trained with this very object before: in an earlier round, or an earlier call."""
        made = self.models.nodes[number]
        if b"rank_pattern" in self.map.source.content or not self._is_given(wrap, number):
            return None
        for loop in loops_over(wrap, self.map):
            if loop in self.map.parents(made) or isinstance(loop, ast.While) or self._may_stop(loop):
                break
            if self._allocates(number, partial(self._lies_in, loop)):
                return {"loop": "for"}
        if self._is_in_comprehension(wrap, made) and (self.models.allocations(number) or not self.models.owned):
            return {"loop": "for"}
        for other, its_number in self.models.wraps.items():
            is_earlier = its_number == number and other is not wrap and runs_before(other, wrap, self.map)
            is_same = is_earlier and self._is_given(other, number)
            if is_same and self._allocates(number, lambda node: runs_before(node, wrap, self.map)):
                return {}
        return None

    def _is_given(self, wrap: ast.Call, number: int) -> bool:
        """Tell whether a wrap is sure to be given the one object that is made there, not one made anew for it."""
        made = self.models.nodes[number]
        frames = {self.map.frame_of(wrap), self.map.tree}
        is_same = any(self.models.things.flow.target(one) is made for one in configurations_of(wrap))
        return is_same and self.map.frame_of(made) in frames

    def _may_stop(self, loop: ast.AST) -> bool:
        return any(isinstance(part, ast.Break | ast.Return) for part in ast.walk(loop))

    def _is_in_comprehension(self, wrap: ast.Call, made: ast.expr) -> bool:
        """Tell whether a comprehension wraps a model with each round, all of which are there at once."""
        comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp)
        around = next((one for one in self.map.parents(wrap) if isinstance(one, comprehensions)), None)
        return around is not None and around not in self.map.parents(made)

    def _lies_in(self, loop: ast.AST, node: ast.AST) -> bool:
        return loop in self.map.parents(node)

    def _allocates(self, number: int, lies: Callable[[ast.AST], bool]) -> bool:
        """Tell whether a training of a configuration that calls the allocator lies where it is asked for."""
        frames = {self.map.frame_of(wrap) for wrap, its in self.models.wraps.items() if its == number}
        places = (seen_from(node, frame, self.map) for node in self.models.allocations(number) for frame in frames)
        return any(place is not None and lies(place) for place in places)

    def _added(self, owner: ast.expr, call: ast.Call) -> Iterator[tuple[int, Use]]:
        """Read `add_adapter`: of transformers and diffusers it takes the configuration first, of PEFT a name."""
        first = argument(call, 0, "adapter_config")
        number = None if first is None else number_of([first], self.models.nodes, self.models.things.flow)
        if number is not None:
            yield from self._applied(owner, call, number)
            name = argument(call, 1, "adapter_name")
        else:
            second = argument(call, 1, "peft_config")
            number = None if second is None else number_of([second], self.models.nodes, self.models.things.flow)
            name = argument(call, 0, "adapter_name")
            first_number = self.models.number(owner)
            if number is not None and first_number is not None and self._is_second(call, first_number):
                yield number, self.models.use(UseKind.SECOND_ADAPTER, call)
        if number is not None and name is not None:
            yield from ((number, use) for use in self._named(name, call))

    def _is_second(self, call: ast.Call, first: int) -> bool:
        """Tell whether the adapter that is there already is one to be trained, and stays."""
        node = self.models.nodes[first]
        frozen = argument(node, None, "inference_mode") if isinstance(node, ast.Call) else None
        is_trained = frozen is None or self.models.things.flow.value(frozen) == Literal(False)
        return is_trained and b"delete_adapter" not in self.map.source.content and not may_fail(call, self.map)

    def _injected(self) -> Iterator[tuple[int, Use]]:
        for call in self.map.calls():
            if last_name(call.func) == "inject_adapter_in_model" and (self.map.path_of(call.func) or "")[:5] == "peft.":
                config, model = argument(call, 0, "peft_config"), argument(call, 1, "model")
                number = None if config is None else number_of([config], self.models.nodes, self.models.things.flow)
                if number is not None and model is not None:
                    yield from self._applied(model, call, number)

    def _applied(self, model: ast.expr, call: ast.Call, number: int) -> Iterator[tuple[int, Use]]:
        """Tell of a configuration that goes into a plain model; its file may wrap that model as well."""
        text = self.map.source.content
        if is_in_test(call, self.map) or may_fail(call, self.map) or any(sign in text for sign in _OTHER_WAYS):
            return
        made = self.models.things.made(model)
        if self.map.function_called(call) is not None or (made is not None and self.map.class_named(made.func)):
            return
        name = dotted(model)
        again = any(
            name
            and wrap.args
            and dotted(wrap.args[0]) == name
            and runs_before(call, wrap, self.map)
            and not is_bound_between(name, call, wrap, self.map)
            for wrap in self.models.wraps
        )
        kind = UseKind.APPLIED_TWICE if again else UseKind.PLAIN_ADD_ADAPTER
        yield number, self.models.use(kind, call, method=last_name(call.func))
