"""Calls of the allocator in methods that a framework calls: of callbacks, of Trainers, of Lightning's modules."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import TYPE_CHECKING, Final

from adalint.plan import RIGHT_LOOP, UNKNOWN_LOOP, Counter, Event, Loop
from adalint.readers.python_allocator_calls import described_call, hook_of_step
from adalint.readers.python_classes import lineage
from adalint.readers.python_counters import Counted, argument_of, through_helpers
from adalint.readers.python_iterations import ALLOCATE, LIBRARIES, Happening, Iteration, Surroundings, Walker
from adalint.readers.python_lightning import HOOKS as LIGHTNING_HOOKS
from adalint.readers.python_lightning import PACKAGES, LightningRuns
from adalint.readers.python_loop_guards import guards_around, traced_guard
from adalint.readers.python_scopes import FUNCTIONS, dotted
from adalint.readers.python_shapes import last_name
from adalint.source import Span
from adalint.training import AllocatorCall, Counting, GuardKind, Hook, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FileMap
    from adalint.readers.python_things import Things


class Family(Enum):
    """Whose methods a framework calls."""

    CALLBACK = auto()
    """A TrainerCallback."""
    TRAINER = auto()
    LIGHTNING = auto()
    """A LightningModule, or a callback of Lightning."""


_BACKWARD, _STEP, _ALLOCATE, _CLEAR = Event.BACKWARD, Event.STEP, Event.ALLOCATE, Event.ZERO_GRAD
_AFTER: Final = (_BACKWARD, _STEP, _ALLOCATE, _CLEAR)
_BEFORE_STEP: Final = (_BACKWARD, _ALLOCATE, _STEP, _CLEAR)

HOOKS: Final = {
    Family.CALLBACK: {
        "on_optimizer_step": (_AFTER, 0),
        "on_pre_optimizer_step": (_BEFORE_STEP, 0),
        "on_step_end": ((_BACKWARD, _STEP, _CLEAR, _ALLOCATE), 1),
        "on_step_begin": ((_ALLOCATE, _BACKWARD, _STEP, _CLEAR), 0),
        "on_substep_end": None,
        "on_log": None,
        "on_evaluate": None,
        "on_save": None,
        "on_epoch_begin": None,
        "on_epoch_end": None,
        "on_train_begin": None,
        "on_train_end": None,
    },
    Family.TRAINER: {"training_step": (_BEFORE_STEP, 0), "compute_loss": None, "optimizer_step": None},
    Family.LIGHTNING: LIGHTNING_HOOKS,
}
"""The methods that a framework calls, with the order of events around a call in them and the first `global_step`."""

_COUNTING: Final = re.compile(r"(^|\.)(state|self|trainer|\w*module)$")
"""Whose `global_step` counts optimizer steps."""

_AS_OTHERS_DO: Final = {"optimizer_step", "training_step"}
"""Methods that do the work themselves by calling `super()`, so that it matters on which side of it the call stands."""


@dataclass(frozen=True, slots=True)
class HookedCall:
    """An allocator call in a method that a framework calls; `hook` of `call` is None where nothing tells which."""

    node: ast.expr | ast.stmt
    owner: ast.ClassDef
    family: Family
    call: AllocatorCall
    loop: Loop = UNKNOWN_LOOP
    places: tuple[Place, ...] = ()


class HookClasses:
    """The classes of a file whose methods a framework calls."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self.flow: Flow = things.flow
        self.map: FileMap = things.map
        self.walker = Walker(things)
        self.lightning = LightningRuns(things.flow)

    def family(self, owner: ast.ClassDef) -> Family | None:
        """Tell which framework calls the methods of a class."""
        found = {family_of(path) for path in self.foreign_bases(owner) if path is not None} - {None}
        return found.pop() if len(found) == 1 else None

    def foreign_bases(self, owner: ast.ClassDef) -> list[str | None]:
        """List the paths of the bases that the file imports; None for one that it does not tell."""
        return [
            self.map.path_of(base)
            for one in lineage(self.map, owner)
            for base in one.bases
            if self.map.class_named(base) is None and last_name(base) not in {"object", "ABC", "Generic"}
        ]

    def is_closed(self, owner: ast.ClassDef) -> bool:
        """Tell whether all that a class inherits stands in this file or in a library that never allocates."""
        return all(path is not None and is_library(path) for path in self.foreign_bases(owner))

    @cached_property
    def calls(self) -> list[HookedCall]:
        """Find the allocator calls in methods of those classes, one for each way on which they are reached."""
        found = [one for owner in self.map.classes for one in self._calls_in(owner)]
        known = {one.node for one in found}
        return found + [one for call in self.map.calls() if call not in known for one in self._unreached(call)]

    def _calls_in(self, owner: ast.ClassDef) -> Iterator[HookedCall]:
        family = self.family(owner)
        if family is None:
            return
        for method in owner.body:
            if isinstance(method, FUNCTIONS) and method.name in HOOKS[family]:
                iteration = self.walker.iteration(method)
                leads = family is Family.LIGHTNING and method.name == "optimizer_step"
                if iteration.of(Event.STEP) and not leads:
                    continue  # a loop of its own: the reader of loops tells
                for call in iteration.of(Event.ALLOCATE):
                    yield self._hooked(call, iteration, method, owner, family)

    def _hooked(
        self,
        call: Happening,
        iteration: Iteration,
        method: ast.FunctionDef | ast.AsyncFunctionDef,
        owner: ast.ClassDef,
        family: Family,
    ) -> HookedCall:
        step = Happening(Event.STEP, method, method, Surroundings())
        is_lightnings = family is Family.LIGHTNING
        index = self.lightning.index_in(method) if is_lightnings else None
        guards = guards_around(call, step, iteration, self.flow, index)
        known: tuple[tuple[Event, ...], int] | None = HOOKS[family][method.name]
        after = _is_after_super(call, method)
        if is_lightnings:
            known = self.lightning.moment(method, call) if self.is_closed(owner) else None
        elif method.name in _AS_OTHERS_DO and not after:
            known = None
        number = self._counted(call, known[1] if known else None)
        if is_lightnings and self.lightning.has_epochs and _text_of(argument_of(call)) == "batch_idx":
            number = Counted(Counting.EPOCH)
        hook = Hook(
            method.name,
            self.map.span(method),
            self._word(method),
            owner.name,
            "lightning" if family is Family.LIGHTNING else "transformers",
            alone=self._is_alone(call, method),
            after=after,
            order=known[0] if known is not None and is_lightnings else (),
        )
        made = replace(described_call(call, number.counting, guards, self.flow, self.things), hook=hook)
        guard = traced_guard(call, guards, number, self.flow)
        loop = UNKNOWN_LOOP
        once = len(iteration.of(Event.ALLOCATE)) == 1 and not call.around.loops
        is_plain = once and not made.swallowed
        # What finds no gradients at first may find older ones behind a condition.
        is_late = known is not None and not (is_lightnings and known[0][0] is Event.ALLOCATE)
        if known is not None and guard is not None and number.start is not None and is_late and is_plain:
            loop = replace(RIGHT_LOOP, order=known[0], counter=Counter(start=number.start), guard=guard)
        places = tuple(
            Place(one.event, self.map.span(one.node), self.map.span(one.statement)) for one in iteration.happenings
        )
        return HookedCall(call.node, owner, family, made, loop, places)

    def _unreached(self, call: ast.Call) -> Iterator[HookedCall]:
        """Describe a call in such a class that no hook of the class itself reaches: another class may call it."""
        if not (isinstance(call.func, ast.Attribute) and call.func.attr == ALLOCATE):
            return
        method = next((one for one in self.map.parents(call) if isinstance(one, FUNCTIONS)), None)
        owner = None if method is None else self.map.class_of(method)
        family = None if owner is None else self.family(owner)
        if owner is None or method is None or family is None:
            return
        happening = next((one for one in self.walker.iteration(method).of(Event.ALLOCATE) if one.node is call), None)
        if happening is not None:
            made = described_call(happening, Counting.UNKNOWN, (), self.flow, self.things)
            registered = self.walker.hooks.around(call)
            if registered is not None:
                made = replace(made, hook=hook_of_step(registered, self.map))
            yield HookedCall(call, owner, family, made)

    def _counted(self, call: Happening, start: int | None) -> Counted:
        argument = argument_of(call)
        if argument is None:
            return Counted(Counting.UNKNOWN)
        return self._of(through_helpers(argument, call, self.flow), start)

    def _of(self, argument: ast.expr, start: int | None, depth: int = 0) -> Counted:
        match argument:
            case ast.BinOp(left=inner, op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int(by))):
                base = self._of(inner, start, depth)
                shift = by if isinstance(op, ast.Add) else -by
                return Counted(base.counting, None if base.start is None else base.start + shift)
            case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]):
                return self._of(inner, start, depth)
            case ast.Attribute(attr="global_step", value=owner) if _COUNTING.search(_text(owner)):
                return Counted(Counting.STEPS, start)
            case ast.Name() if depth < 3:
                binding = self.map.the_binding(argument.id, argument)
                if binding is not None and binding.value is not None:
                    return self._of(binding.value, start, depth + 1)
        return Counted(Counting.UNKNOWN)

    def _word(self, method: ast.FunctionDef | ast.AsyncFunctionDef) -> Span:
        """Give the bytes of a method's name in its `def` line."""
        name = method.name.encode()
        text = self.map.source.content
        begun = text.index(name, text.index(b"def", self.map.span(method).start) + len(b"def"))
        return Span(begun, begun + len(name))

    def _is_alone(self, call: Happening, method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """Tell whether a method does nothing but call the allocator, given what it takes out of its arguments."""
        if call.around.inlined or call.around.swallowed or call.around.loops:
            return False
        asked = [ast.unparse(test.node) for test in call.around.tests]
        harmless = re.compile(r"^(hasattr|isinstance)\(|^[\w.\[\]'\"]+( is not None)?$")
        if not all(harmless.match(text) and "step" not in text for text in asked):
            return False
        used = self.map.attributes_named(method.name)
        return not used and all(self._belongs(statement, call) for statement in method.body)

    def _belongs(self, statement: ast.stmt, call: Happening) -> bool:
        match statement:
            case ast.Expr(value=value):
                return value is call.node or isinstance(value, ast.Constant)
            case ast.Pass() | ast.Return(value=None | ast.Constant() | ast.Name()):
                return True
            case ast.Assign(targets=[ast.Name()], value=value):
                return not any(isinstance(part, ast.Call) and last_name(part.func) != "get" for part in ast.walk(value))
            case ast.If(body=body, orelse=[]):
                return all(self._belongs(one, call) for one in body)
        return False


def family_of(path: str) -> Family | None:
    """Tell by the path of a base class which framework calls its methods."""
    top, _, name = path.partition(".")[0], "", path.rpartition(".")[2]
    if top in {"transformers", "trl"}:
        if name.endswith("Trainer"):
            return Family.TRAINER
        return Family.CALLBACK if name.endswith("Callback") else None
    if top in PACKAGES:
        return Family.LIGHTNING if name == "LightningModule" or name.endswith("Callback") else None
    return None


def is_library(path: str) -> bool:
    """Tell whether a path leads into a package that never calls the allocator."""
    return path.partition(".")[0] in LIBRARIES


def is_gated(call: AllocatorCall) -> bool:
    """Tell whether the call asks whether the gradients were finite."""
    return call.guarded_by(GuardKind.FINITE) is not None


def _is_after_super(call: Happening, method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether the call follows `super().…` of the same method, or a backward pass."""
    offset = (call.statement.lineno, call.statement.col_offset)
    if call.around.inlined:
        offset = (call.around.inlined[0].lineno, call.around.inlined[0].col_offset)
    for part in ast.walk(method):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            is_super = isinstance(part.func.value, ast.Call) and last_name(part.func.value.func) == "super"
            works = (is_super and part.func.attr == method.name) or part.func.attr in {"backward", "manual_backward"}
            if works and (part.lineno, part.col_offset) < offset:
                return True
    return False


def _text_of(argument: ast.expr | None) -> str:
    return "" if argument is None else dotted(argument)


def _text(owner: ast.expr) -> str:
    """Write an owner so that `kwargs["state"]` ends like `state`."""
    if isinstance(owner, ast.Subscript) and isinstance(owner.slice, ast.Constant):
        return str(owner.slice.value)
    return dotted(owner)
