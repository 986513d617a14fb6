"""Whether a length that a Python file tells is that of the run which trains a configuration, or of another one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.readers.python_trainer_calls import Trainer, TrainerCalls
from adalint.readers.python_wrapping import configurations_of, number_of
from adalint.training import Way

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adalint.readers.python_loops import Found
    from adalint.readers.python_things import Things
    from adalint.source import Span


class Runs:
    """All that trains something in one file, and whose length is told where.

    `nodes` are the constructions of the configurations, `owned` their trainings by number, `found` all trainings.
    """

    def __init__(
        self, things: Things, nodes: Sequence[ast.expr], owned: Mapping[int, Sequence[Found]], found: Sequence[Found]
    ) -> None:
        self.map = things.map
        self.flow = things.flow
        self.nodes = nodes
        self.owned = owned
        self.trainers = TrainerCalls(things).trainers
        self.loops = [one for one in found if one.node is not None and one.training.way is Way.MANUAL]

    def is_anothers(self, length: Span, number: int) -> bool:
        """Tell whether a length may be that of another run: the file has one, and what tells it is not this one's."""
        own = self.owned.get(number, [])
        built = {one.training.built for one in own} - {None}
        trainers = {one: self._trains(one, number) or self.map.span(one.call) in built for one in self.trainers}
        # A framework's own loop, of which no Trainer is in sight.
        is_led = any(one.training.way is Way.OVERRIDE and one.training.built is None for one in own)
        loops = {one.node: any(mine is one for mine in own) for one in self.loops if one.node is not None}
        trained = [*trainers.values(), *loops.values(), *([True] if is_led else [])]
        if all(trained):
            return False
        if len(trained) == 1:
            return any(self._trains_something_else(one, number) for one in trainers)
        teller = self._teller(length)
        if teller is None:
            return True
        told = [is_own for one, is_own in trainers.items() if one.arguments is self.map.parent(teller)]
        if told:
            return not any(told)
        frame = self.map.frame_of(teller)
        beside = [is_own for one, is_own in trainers.items() if self.map.frame_of(one.call) is frame]
        beside += [is_own for node, is_own in loops.items() if self.map.frame_of(node) is frame]
        return not beside or not all(beside)

    def _trains(self, trainer: Trainer, number: int) -> bool:
        """Tell whether a Trainer's model was wrapped with a configuration."""
        wrap = trainer.wrap
        return wrap is not None and number_of(configurations_of(wrap), self.nodes, self.flow) == number

    def _trains_something_else(self, trainer: Trainer, number: int) -> bool:
        """Tell whether a Trainer, in another function than a configuration, has a model that nothing is done to."""
        model = trainer.given("model")
        if model is None or trainer.wrap is not None:
            return False
        frame = self.map.frame_of(trainer.call)
        made = self.flow.target(model)
        if not isinstance(made, ast.Call) or frame in {self.map.tree, self.map.frame_of(self.nodes[number])}:
            return False
        if isinstance(model, ast.Name):
            uses = [self.map.parent(one) for one in self.map.uses(model.id, model) if isinstance(one.ctx, ast.Load)]
            if any(self.map.frame_of(one) is not frame or not self._is_trainers(one, trainer) for one in uses if one):
                return False
        path = self.map.path_of(made.func) or ""
        return path.startswith("transformers.") and path.endswith((".from_pretrained", ".from_config"))

    def _is_trainers(self, use: ast.AST, trainer: Trainer) -> bool:
        return use is trainer.call or use in trainer.call.keywords

    def _teller(self, length: Span) -> ast.keyword | ast.stmt | None:
        """Find what tells a length: a keyword, an assignment, the statement of a call."""
        for node in self.map.nodes():
            match node:
                case ast.keyword(value=value) | ast.Assign(value=value) if self.map.span(value) == length:
                    return node
                case ast.Assign(targets=[ast.Name() as target]) if self.map.span(target) == length:
                    return node
                case ast.Expr(value=ast.Call(args=[value])) if self.map.span(value) == length:
                    return node
        return None
