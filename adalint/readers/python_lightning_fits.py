"""Runs of Lightning's Trainer that a file shows whole, so that nothing unseen can call the allocator in them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from adalint.embedded import Embedded
from adalint.readers.python_allocator_calls import wrap_of
from adalint.readers.python_classes import lineage
from adalint.readers.python_hooks import HookClasses, is_library
from adalint.readers.python_iterations import ALLOCATE
from adalint.readers.python_lightning import PACKAGES
from adalint.readers.python_moments import is_in_test
from adalint.readers.python_step_hooks import StepHooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_things import Things

_MAKING: Final = re.compile(r"(?i)hook|alloc|optim|step|callback|factory|fn$")
"""Attributes that are called to take part in training."""

_HANDED: Final = frozenset({"callbacks", "plugins", "strategy"})
"""Arguments of a Trainer by which somebody may take part in its run."""


def idle_fits(classes: HookClasses, things: Things) -> Iterator[tuple[ast.Call, ast.Call]]:
    """Give each `trainer.fit(module)` in which nothing allocates, with the call that wrapped the module's model."""
    text = things.map.source.content
    if isinstance(things.map.source, Embedded) or b"lightning" not in text or ALLOCATE.encode() in text:
        return
    if b"automatic_optimization" in text:
        return  # a module that makes its steps itself has a loop of its own
    if things.map.star_imports or things.map.rewrites_names or StepHooks(things).registered:
        return
    fits = _Fits(classes, things)
    for node in things.map.attributes_named("fit"):
        call = things.map.parent(node)
        if isinstance(call, ast.Call) and call.func is node and call.args and not is_in_test(call, things.map):
            wrap = fits.wrap(node.value, call.args[0])
            if wrap is not None:
                yield call, wrap


class _Fits:
    def __init__(self, classes: HookClasses, things: Things) -> None:
        self.classes = classes
        self.things = things
        self.map = things.map

    def wrap(self, trainer: ast.expr, module: ast.expr) -> ast.Call | None:
        """Give the one call that wraps the model of a module; None where something unseen takes part."""
        built, made = self.things.made(trainer), self.things.made(module)
        if built is None or made is None or not self._is_lightnings(built):
            return None
        owner = self.map.class_named(made.func)
        if owner is None or not self.classes.is_closed(owner) or not self._is_lightning_class(owner):
            return None
        family = lineage(self.map, owner)
        if not all(self._is_known(part) for one in family for part in one.body):
            return None
        inside = [wrap for wrap in self.map.wraps if any(one in family for one in self.map.parents(wrap))]
        given = [*made.args, *(one.value for one in made.keywords)]
        handed = [wrap for one in given if (wrap := wrap_of(one, self.things)) is not None]
        wraps = {*inside, *handed}
        return wraps.pop() if len(wraps) == 1 else None

    def _is_lightnings(self, built: ast.Call) -> bool:
        path = self.map.path_of(built.func) or ""
        spreads = built.args or any(one.arg is None for one in built.keywords)
        return (
            path.partition(".")[0] in PACKAGES
            and path.endswith(".Trainer")
            and not spreads
            and self._has_known_callbacks(built)
        )

    def _is_lightning_class(self, owner: ast.ClassDef) -> bool:
        paths = [path or "" for path in self.classes.foreign_bases(owner)]
        return any(path.partition(".")[0] in PACKAGES and path.endswith(".LightningModule") for path in paths)

    def _is_known(self, node: ast.AST) -> bool:
        """Tell whether all that is called in a part of the file stands in the file or in a library."""
        return all(self._is_seen(part.func) for part in ast.walk(node) if isinstance(part, ast.Call))

    def _is_seen(self, func: ast.expr) -> bool:
        path = self.map.path_of(func)
        if path is not None:
            return is_library(path)
        match func:
            case ast.Name(id=name):
                bound = self.map.bindings(name, func)
                return all(isinstance(one.node, ast.FunctionDef | ast.ClassDef) for one in bound)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return not (_MAKING.search(name) and self.map.attribute_stores(name))
        return True

    def _has_known_callbacks(self, built: ast.Call) -> bool:
        """Tell whether a Trainer is given no callbacks, or such of Lightning and of this file alone."""
        for one in built.keywords:
            if one.arg not in _HANDED or isinstance(one.value, ast.Constant):
                continue
            parts = one.value.elts if isinstance(one.value, ast.List | ast.Tuple) else [one.value]
            if not all(isinstance(part, ast.Call | ast.Constant) for part in parts):
                return False
        return self._is_known(built)
