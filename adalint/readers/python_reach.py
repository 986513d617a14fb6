"""Whether a Trainer reaches the allocator: through its callbacks, its own methods, or something that cannot be seen."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final

from adalint.embedded import Embedded
from adalint.readers.python_classes import lineage
from adalint.readers.python_hooks import Family, is_library
from adalint.readers.python_iterations import ALLOCATE
from adalint.readers.python_scopes import FUNCTIONS, dotted
from adalint.readers.python_shapes import last_name
from adalint.readers.python_trainer_calls import FOLLOWED
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_trainer_calls import Trainer, TrainerCalls
    from adalint.values import Kleene

_OURS: Final = "adalint.hf.AdaLoraCallback"
_TAKING_PART: Final = re.compile(r"(?i)hook|patch|wrap|callback|train|alloc|step|install|regist|adalora|setup|prepare")
_PARTS: Final = ("training_step", "compute_loss", "create_optimizer", "optimizer", "_inner_training_loop")
"""Parts of a Trainer in whose place a file may put something that allocates."""

_LOOKUPS: Final = frozenset(
    {
        *("globals", "locals", "vars", "eval", "exec", "modules", "import_module", "__import__"),
        *("__dict__", "__subclasses__"),
    }
)
"""By these a class is found without its name."""

_FIRST_FIVE: Final = 5
"""The first arguments of a Trainer, by their place, hold no callback in any release."""


class Reach:
    """Asks of the Trainers of one file whether they reach the allocator."""

    def __init__(self, calls: TrainerCalls) -> None:
        self.calls = calls
        self.map = calls.map
        self.flow = calls.flow
        self.classes = calls.classes

    def has(self, trainer: Trainer, owner: ast.ClassDef) -> bool:
        """Tell whether a Trainer is of a class, or has a callback of it."""
        if trainer.owner is not None and owner in lineage(self.map, trainer.owner):
            return True
        items = [*self._callbacks(trainer)[0], *self._added(trainer)]
        if trainer.owner is not None:
            # A subclass may bring its callbacks itself.
            items += chain.from_iterable(map(_names_in, lineage(self.map, trainer.owner)))
        classes = [self.map.class_named(item.func if isinstance(item, ast.Call) else item) for item in items]
        return any(made is not None and owner in lineage(self.map, made) for made in classes)

    def reached(self, trainer: Trainer) -> Kleene:
        """Tell whether a Trainer calls the allocator: False only where nothing unseen can."""
        items, known = self._callbacks(trainer)
        items = [*items, *self._added(trainer)]
        paths = [self.map.path_of(item.func if isinstance(item, ast.Call) else item) for item in items]
        if _OURS in paths or any(self.has(trainer, one.owner) for one in self.classes.calls):
            return True
        if not known or trainer.spreads or len(trainer.call.args) > _FIRST_FIVE or self._names_it:
            return UNKNOWN
        if not all(map(self._is_known, items, paths)):
            return UNKNOWN
        if trainer.owner is not None and not self.classes.is_closed(trainer.owner):
            return UNKNOWN
        frame = self.map.frame_of(trainer.call)
        if isinstance(frame, FUNCTIONS) and frame.name.startswith("test"):
            return UNKNOWN  # a test trains for another end
        return UNKNOWN if self._is_handed_on(trainer) or self._has_foreign_optimizer(trainer) else False

    @cached_property
    def _names_it(self) -> bool:
        """Whether the file names the allocator anywhere but in comments, prose, and callbacks that nothing makes."""
        named: list[ast.AST] = [*self.map.attributes_named(ALLOCATE)]
        named += [
            node
            for node in self.map.nodes()
            if (isinstance(node, ast.Constant) and node.value == ALLOCATE)
            or (isinstance(node, ast.Name) and node.id == ALLOCATE)
        ]
        idle = self._idle_callbacks if named else set()
        return any(idle.isdisjoint(self.map.parents(node)) for node in named)

    @cached_property
    def _idle_callbacks(self) -> set[ast.AST]:
        """The classes of callbacks whose name the file never says again; none where it may find them in another way."""
        if isinstance(self.map.source, Embedded) or any(self.map.attributes_named(one) for one in _LOOKUPS):
            return set()
        names = {node.id for node in self.map.nodes() if isinstance(node, ast.Name)}
        texts = [node.value for node in self.map.nodes() if isinstance(node, ast.Constant) and type(node.value) is str]
        if names & _LOOKUPS:
            return set()
        return {
            owner
            for owner in self.map.classes
            if owner.name not in names and not self.map.attributes_named(owner.name)
            if not any(owner.name in text for text in texts) and not owner.decorator_list and not owner.keywords
            if self.classes.family(owner) is Family.CALLBACK and self.classes.is_closed(owner)
        }

    def _is_known(self, item: ast.expr, path: str | None) -> bool:
        """Tell whether a callback is of a library, or of a class of this file."""
        owner = self.map.class_named(item.func if isinstance(item, ast.Call) else item)
        return self.classes.is_closed(owner) if owner is not None else path is not None and is_library(path)

    def _callbacks(self, trainer: Trainer) -> tuple[list[ast.expr], bool]:
        """List the callbacks that a Trainer is made with, and tell whether these are all."""
        given = trainer.given("callbacks")
        return ([], True) if given is None else self._items(given)

    def _items(self, given: ast.expr, depth: int = 0) -> tuple[list[ast.expr], bool]:
        match given:
            case ast.Constant(value=None):
                return [], True
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                items = [self._item(one) for one in parts]
                return items, not any(isinstance(one, ast.Starred) for one in parts)
            case ast.IfExp(body=body, orelse=orelse):
                both = [self._items(one, depth + 1) for one in (body, orelse)]
                return [*both[0][0], *both[1][0]], both[0][1] and both[1][1]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                both = [self._items(one, depth + 1) for one in (left, right)]
                return [*both[0][0], *both[1][0]], both[0][1] and both[1][1]
            case ast.Name() if depth < FOLLOWED:
                bound = self.map.bindings(given.id, given)
                found = [self._items(one.value, depth + 1) for one in bound if one.value is not None]
                later, only = self._appended(given)
                whole = len(found) == len(bound) and bool(bound) and all(known for _, known in found)
                return [*chain.from_iterable(items for items, _ in found), *later], whole and only
        return [], False

    def _item(self, node: ast.expr) -> ast.expr:
        """Follow a name to the callback that it stands for."""
        if isinstance(node, ast.Name) and self.map.class_named(node) is None and self.map.path_of(node) is None:
            return self.flow.target(node) or node
        return node

    def _appended(self, name: ast.Name) -> tuple[list[ast.expr], bool]:
        """List what is put into a list of callbacks after it was made."""
        items: list[ast.expr] = []
        for node in self.map.attributes_by_owner.get(name.id, []):
            call = self.map.parent(node)
            if node.attr != "append" or not isinstance(call, ast.Call) or len(call.args) != 1:
                return items, False
            items.append(self._item(call.args[0]))
        handed = [
            use
            for use in self.map.uses(name.id, name)
            if use is not name and isinstance(use.ctx, ast.Load)
            if not isinstance(self.map.parent(use), ast.Attribute | ast.keyword)
        ]
        return items, not handed

    def _added(self, trainer: Trainer) -> list[ast.expr]:
        """List what `add_callback` is given for a Trainer."""
        return [
            self._item(call.args[0])
            for node in self.map.attributes_named("add_callback")
            if isinstance(call := self.map.parent(node), ast.Call) and len(call.args) == 1
            if self.calls.made(node.value) in {trainer.call, None}
        ]

    def _is_handed_on(self, trainer: Trainer) -> bool:
        """Tell whether a function that stands elsewhere gets the Trainer, or the model with a name that takes part."""
        model = trainer.given("model")
        names = {dotted(model)} - {""} if model is not None else set()
        holder = self.map.parent(trainer.call)
        holders = {dotted(one) for one in holder.targets} - {""} if isinstance(holder, ast.Assign) else set()
        for call in self.map.calls():
            given = {dotted(one) for one in (*call.args, *(one.value for one in call.keywords))} - {""}
            if call is trainer.call or not given & (names | holders) or self._is_own_or_library(call):
                continue
            if given & holders or _TAKING_PART.search(last_name(call.func)):
                return True
        return self._is_patched

    @cached_property
    def _is_patched(self) -> bool:
        """Whether a method or a part of some Trainer is replaced or reached into: `trainer.training_step = …`."""
        return bool(self.map.attributes_named("callback_handler")) or any(
            owner is None or self.classes.family(owner) is Family.TRAINER or name != "optimizer"
            for name in _PARTS
            for node in self.map.attribute_stores(name)
            for owner in [next((one for one in self.map.parents(node) if isinstance(one, ast.ClassDef)), None)]
        )

    def _is_own_or_library(self, call: ast.Call) -> bool:
        if self.map.function_called(call) is not None or self.map.class_named(call.func) is not None:
            return True
        path = self.map.path_of(call.func)
        if path is not None:
            return is_library(path)
        return isinstance(call.func, ast.Name) and not self.map.bindings(call.func.id, call)

    def _has_foreign_optimizer(self, trainer: Trainer) -> bool:
        """Tell whether the optimizer is of a class that stands neither here nor in a library."""
        given = trainer.given("optimizers")
        if given is None:
            return False
        made = self.flow.target(given)
        if not isinstance(made, ast.Tuple) or not made.elts:
            return True
        optimizer = self.flow.target(made.elts[0])
        path = self.map.path_of(optimizer.func) if isinstance(optimizer, ast.Call) else None
        return path is None or not is_library(path)


def _names_in(node: ast.AST) -> Iterator[ast.Name]:
    yield from (part for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load))
