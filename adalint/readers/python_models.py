"""The AdaLoRA models of a Python file: what made them, and where they are trained."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.readers.python_allocator_calls import wrap_of
from adalint.readers.python_moments import runs_before, share_a_loop
from adalint.readers.python_wrapping import configurations_of, number_of
from adalint.training import Use, UseKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adalint.readers.python_loops import Found
    from adalint.readers.python_things import Things


class Models:
    """The models of one file, each by the number of its configuration.

    `nodes` are the constructions of the configurations, `owned` the trainings of each.
    """

    def __init__(self, things: Things, nodes: Sequence[ast.expr], owned: Mapping[int, Sequence[Found]]) -> None:
        self.things = things
        self.map = things.map
        self.nodes = nodes
        self.owned = owned
        self.wraps = {
            wrap: number
            for wrap in self.map.wraps
            if (number := number_of(configurations_of(wrap), nodes, things.flow)) is not None
        }

    def number(self, model: ast.expr) -> int | None:
        """Find the configuration of the AdaLoRA model that an expression stands for."""
        wrap = model if isinstance(model, ast.Call) and model in self.wraps else wrap_of(model, self.things)
        return None if wrap is None else self.wraps.get(wrap)

    def of_kept(self, owner: ast.expr) -> int | None:
        """Find the configuration behind `model.peft_config["default"]` and `model.active_peft_config`."""
        match owner:
            case ast.Subscript(value=ast.Attribute(attr="peft_config", value=model)):
                return self.number(without_base(model))
            case ast.Attribute(attr="active_peft_config", value=model):
                return self.number(without_base(model))
        return None

    def use(self, kind: UseKind, node: ast.expr, **found: object) -> Use:
        """Describe a use that stands at a node."""
        return Use(kind, self.map.span(node), found)

    def calls_of(self, method: str) -> Iterator[tuple[ast.expr, ast.Call]]:
        """Give all calls of a method, each with what it is called on."""
        for attribute in self.map.attributes_named(method):
            call = self.map.parent(attribute)
            if isinstance(call, ast.Call) and call.func is attribute:
                yield attribute.value, call

    def allocations(self, number: int) -> list[ast.AST]:
        """List the trainings of a configuration in which the allocator is called."""
        trained = self.owned.get(number, ())
        return [one.node for one in trained if one.training.reached is True and one.node is not None]

    def follows_training(self, node: ast.AST, number: int) -> bool:
        """Tell whether something happens after a training of the configuration, not in its midst."""
        return any(
            runs_before(one, node, self.map) and not share_a_loop(one, node, self.map)
            for one in self.allocations(number)
        )


def argument(call: ast.Call, position: int | None, name: str) -> ast.expr | None:
    """Find what a call gives for a parameter, by its name or its position."""
    named = next((one.value for one in call.keywords if one.arg == name), None)
    if named is not None or position is None or len(call.args) <= position:
        return named
    return None if any(isinstance(one, ast.Starred) for one in call.args[: position + 1]) else call.args[position]


def without_base(model: ast.expr) -> ast.expr:
    """Give the PeftModel of `model.base_model`."""
    return model.value if isinstance(model, ast.Attribute) and model.attr == "base_model" else model
