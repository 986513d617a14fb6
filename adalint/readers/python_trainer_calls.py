"""The calls of a Python file that make a Trainer of transformers or trl, and those that start one."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from adalint.readers.python_allocator_calls import wrap_of
from adalint.readers.python_hooks import Family, HookClasses, family_of
from adalint.readers.python_shapes import only_return
from adalint.values import UNKNOWN, Literal

if TYPE_CHECKING:
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FileMap
    from adalint.readers.python_things import Things
    from adalint.values import Expr

_POSITIONS: Final = ("model", "args")
"""The arguments of a Trainer that are given by their place in all releases."""

FOLLOWED: Final = 4
"""So many names are followed to what they stand for."""


@dataclass(frozen=True)
class Trainer:
    """One call that makes a Trainer, and what the file says of it."""

    call: ast.Call
    owner: ast.ClassDef | None
    """The class, where it is one of this file."""
    things: Things

    @property
    def map(self) -> FileMap:
        """The file."""
        return self.things.map

    @property
    def flow(self) -> Flow:
        """The evaluation of the file."""
        return self.things.flow

    @property
    def path(self) -> str | None:
        """The path that its class is imported by."""
        return self.map.path_of(self.call.func)

    @property
    def spreads(self) -> bool:
        """Whether arguments are given that the text of the call does not show."""
        return any(isinstance(one, ast.Starred) for one in self.call.args) or any(
            one.arg is None for one in self.call.keywords
        )

    def given(self, name: str) -> ast.expr | None:
        """Find the expression that is given for an argument."""
        if name in _POSITIONS and len(self.call.args) > _POSITIONS.index(name):
            return self.call.args[_POSITIONS.index(name)]
        return next((one.value for one in self.call.keywords if one.arg == name), None)

    @cached_property
    def wrap(self) -> ast.Call | None:
        """The call that made its model an AdaLoRA model: `get_peft_model`, or the Trainer itself by `peft_config=`."""
        if self.given("peft_config") is not None:
            return self.call
        model = self.given("model")
        return None if model is None else _wrap_behind(model, self.things)

    @cached_property
    def arguments(self) -> ast.Call | None:
        """The `TrainingArguments(…)` that it is given."""
        given = self.given("args")
        made = None if given is None else self.flow.target(given)
        path = self.map.path_of(made.func) if isinstance(made, ast.Call) else None
        if not isinstance(made, ast.Call) or path is None or path.partition(".")[0] not in {"transformers", "trl"}:
            return None
        return made if path.endswith(("Arguments", "Config")) else None

    def setting(self, name: str, default: object) -> tuple[Expr, ast.keyword | None]:
        """Tell what a field of its TrainingArguments is worth, and where it is written."""
        if self.map.attribute_stores(name):
            return UNKNOWN, None
        if self.given("args") is None and not self.spreads:
            return Literal(default), None
        made = self.arguments
        if made is None:
            return UNKNOWN, None
        keyword = next((one for one in made.keywords if one.arg == name), None)
        if keyword is not None:
            return self.flow.value(keyword.value), keyword
        hidden = len(made.args) > 1 or any(one.arg is None for one in made.keywords)
        return (UNKNOWN if hidden or any(isinstance(one, ast.Starred) for one in made.args) else Literal(default)), None


class TrainerCalls:
    """All Trainers of one file."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self.map: FileMap = things.map
        self.flow: Flow = things.flow
        self.classes = HookClasses(things)

    @cached_property
    def trainers(self) -> list[Trainer]:
        """All calls that make a Trainer of transformers or trl, or of a class of this file that stems from one."""
        found = []
        for call in self.map.calls():
            owner = self.map.class_named(call.func)
            path = self.map.path_of(call.func) if owner is None else None
            family = self.classes.family(owner) if owner is not None else None if path is None else family_of(path)
            if family is Family.TRAINER:
                found.append(Trainer(call, owner, self.things))
        return found

    @cached_property
    def starts(self) -> list[tuple[Trainer, ast.Call]]:
        """All calls of `trainer.train(…)`, each with the Trainer."""
        found = []
        for node in self.map.attributes_named("train"):
            call = self.map.parent(node)
            if isinstance(call, ast.Call) and call.func is node:
                made = self.made(node.value)
                found += [(one, call) for one in self.trainers if one.call is made]
        return found

    def made(self, node: ast.expr) -> ast.Call | None:
        """Find the call that made a Trainer, through names and a function that does nothing else but return it."""
        for _ in range(FOLLOWED):
            if isinstance(node, ast.Call) and any(one.call is node for one in self.trainers):
                return node
            following = self.flow.target(node)
            if isinstance(following, ast.Call):
                function = self.map.function_called(following)
                if function is None:
                    return following
                following = only_return(function)
            if following is None or following is node:
                return None
            node = following
        return None


def _wrap_behind(model: ast.expr, things: Things) -> ast.Call | None:
    """Find the `get_peft_model(…)` behind a model, through names, functions that return it, and a branch."""
    file_map, flow = things.map, things.flow
    node = model
    for _ in range(FOLLOWED):
        made = wrap_of(node, things)
        if made is not None:
            return made
        following = flow.target(node)
        if following is None and isinstance(node, ast.Name):
            values = [one.value for one in file_map.bindings(node.id, node) if one.value is not None]
            wraps = [value for value in values if isinstance(value, ast.Call) and value in file_map.wraps]
            return wraps[0] if len(wraps) == 1 else None
        if isinstance(following, ast.Call):
            if following in file_map.wraps:
                return following
            function = file_map.function_called(following)
            following = None if function is None else only_return(function)
        if following is None or following is node:
            return None
        node = following
    return None
