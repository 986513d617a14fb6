"""Layers in one file and their allocator in another: moved together or not at all."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_allocator import Allocator, allocator_of
from adalint.migrate.loralib_layers import layers_of
from adalint.migrate.loralib_moving import moved_layers
from adalint.migrate.loralib_names import Unmovable, wrapper_of
from adalint.migrate.loralib_to_peft import Script, judged, training_judged
from adalint.migrate.loralib_values import argument, handed_in, kept_keyword
from adalint.readers.python_scopes import FUNCTIONS

if TYPE_CHECKING:
    from adalint.migrate.loralib_project import Project
    from adalint.migrate.texts import Migrated
    from adalint.readers.python_scopes import FunctionNode
    from adalint.settings import Settings

_FROM_CONFIG: Final = frozenset({"from_pretrained", "from_config", "_from_config"})


def partners_of(training: Script, project: Project) -> list[Script]:
    """Give the files whose layers a training may train: those that it imports, and that have layers alone."""
    if not training.uses.calls["RankAllocator"] or training.uses.calls["SVDLinear"]:
        return []
    found = {id(one): one for one in project.imported_by(training)}
    return [one for one in found.values() if one.uses.calls["SVDLinear"] and not one.uses.calls["RankAllocator"]]


def pair_moved(training: Script, layered: Script, project: Project, settings: Settings) -> tuple[Migrated, Migrated]:
    """Move a training and the file of its layers, or leave both and tell why."""
    there = os.path.basename(layered.source.path)
    here = os.path.basename(training.source.path)
    try:
        allocator = allocator_of(training.uses, training.file_map)
        maker = maker_of(allocator, training, layered, project)
        _refuse_others(training, layered, project, allocator.call)
    except Unmovable as error:
        return training.stays(error.node, error.text), _left(layered, f"its allocator is made in {here}, which stays")
    calls = layered.uses.calls["SVDLinear"]
    try:
        words = Words(training, layered, project, allocator, maker)
        layers = layers_of(calls, layered.file_map, words.said)
        of_layers = moved_layers(layered.text, layered.uses, layered.file_map, layers)
    except Unmovable as error:
        return _left(training, f"its layers are made in {there}, which stays"), layered.stays(error.node, error.text)
    try:
        first = training_judged(training, layers, settings)
    except Unmovable as error:
        return training.stays(error.node, error.text), _left(layered, f"its allocator is made in {here}, which stays")
    second = judged(layered, of_layers, settings)
    if first.changed and second.changed:
        return first, second
    return (
        _left(training, f"its layers are made in {there}, which stays") if first.changed else first,
        _left(layered, f"its allocator is made in {here}, which stays") if second.changed else second,
    )


def _left(script: Script, why: str) -> Migrated:
    return script.stays(script.start or script.file_map.tree, why)


def _refuse_others(training: Script, layered: Script, project: Project, call: ast.Call) -> None:
    """Refuse layers that others build on as well.

    Raises:
        Unmovable: another file imports them.
    """
    for other in project.scripts.values():
        if other is not training and other is not layered and layered in project.imported_by(other):
            name = os.path.basename(layered.source.path)
            raise Unmovable(call, f"the layers of {name} are used by {os.path.basename(other.source.path)}, too")


def maker_of(allocator: Allocator, training: Script, layered: Script, project: Project) -> ast.Call:
    """Find the one call that gives the model its layers: what makes it, or what is handed it.

    Raises:
        Unmovable: none, or several do.
    """
    file_map, model = training.file_map, allocator.model
    if isinstance(model, ast.Name):
        bound = file_map.bindings(model.id, model)
        values = [one.value for one in bound if wrapper_of(one, model.id) is None]
    elif isinstance(model, ast.Attribute):
        stores = [file_map.parent(one) for one in file_map.attribute_stores(model.attr)]
        values = [one.value if isinstance(one, ast.Assign) else None for one in stores]
    else:
        values = []
    makers = [one for one in values if isinstance(one, ast.Call) and comes_from(one, training, layered, project)]
    text = ast.unparse(model)
    for call in file_map.calls():
        handed = text in (ast.unparse(one) for one in (*call.args, *(one.value for one in call.keywords)))
        if call not in makers and handed and comes_from(call, training, layered, project):
            makers.append(call)
    name = os.path.basename(layered.source.path)
    if len(makers) != 1 or len(values) != 1:
        raise Unmovable(model, f"{text} is not told to have its layers from {name}, and from there alone")
    again = [one for one in file_map.calls() if one is not makers[0] and _same_callee(one, makers[0])]
    if again:
        raise Unmovable(again[0], f"a second model with the layers of {name}")
    return makers[0]


def comes_from(call: ast.Call, training: Script, layered: Script, project: Project) -> str | None:
    """Name the class or function of the other file that a call calls, also by `from_pretrained`."""
    func = call.func
    if isinstance(func, ast.Attribute) and func.attr in _FROM_CONFIG:
        func = func.value
    origin = project.origin(func, training)
    return origin[1] if origin is not None and origin[0] is layered else None


def _same_callee(one: ast.Call, other: ast.Call) -> bool:
    return ast.unparse(one.func) == ast.unparse(other.func)


class Words:
    """Says what a layer is given in the words of the training."""

    def __init__(
        self, training: Script, layered: Script, project: Project, allocator: Allocator, maker: ast.Call
    ) -> None:
        self.training = training
        self.layered = layered
        self.project = project
        self.place = allocator.call
        self.maker = maker

    def said(self, expr: ast.expr) -> ast.expr:
        """Say an argument of a layer as the training would.

        Raises:
            Unmovable: the training does not tell it.
        """
        file_map = self.layered.file_map
        inner = handed_in(expr, file_map)
        root, attributes = inner, list[str]()
        while isinstance(root, ast.Attribute):
            attributes.insert(0, root.attr)
            root = root.value
        if isinstance(inner, ast.Constant):
            return self._placed(inner)
        binding = file_map.the_binding(root.id, root) if isinstance(root, ast.Name) else None
        if binding is not None and isinstance(binding.value, ast.Constant) and not attributes:
            return self._placed(binding.value)
        if binding is not None and isinstance(binding.node, ast.arg):
            function = file_map.frame_of(root)
            if isinstance(function, FUNCTIONS) and not file_map.callers_of(function):
                given = self._given(binding.node, function)
                for name in attributes:
                    if isinstance(given, ast.Call):
                        given = kept_keyword(given, name)
                    elif given is not None:
                        given = ast.copy_location(ast.Attribute(given, name, ast.Load()), self.place)
                if isinstance(given, ast.Constant):
                    return self._placed(given)
                if given is not None:
                    return given
        name = os.path.basename(self.training.source.path)
        raise Unmovable(expr, f"{ast.unparse(expr)} is not known in {name}, where the configuration has to stand")

    def _given(self, parameter: ast.arg, function: FunctionNode) -> ast.expr | None:
        """Find what the training hands in for a parameter."""
        owner = self.layered.file_map.class_of(function)
        name = owner.name if owner is not None else getattr(function, "name", None)
        if comes_from(self.maker, self.training, self.layered, self.project) != name:
            return None
        called = self.maker.func
        if isinstance(called, ast.Attribute) and called.attr in _FROM_CONFIG:
            if owner is None or parameter.arg != "config":
                return None
            values = [one.value for one in self.maker.keywords if one.arg == "config"]
            if called.attr != "from_pretrained":
                values = values or self.maker.args[:1]
        elif owner is not None and function.name != "__init__":  # type: ignore[union-attr]
            return None
        else:
            one = argument(self.maker, parameter, function, self.layered.file_map)
            values = [] if one is None else [one]
        if len(values) != 1:
            return None
        if isinstance(values[0], ast.Constant):
            return self._placed(values[0])
        return handed_in(values[0], self.training.file_map)

    def _placed(self, constant: ast.Constant) -> ast.Constant:
        return ast.copy_location(ast.Constant(constant.value), self.place)
