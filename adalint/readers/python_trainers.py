"""How a Python file trains with a Trainer, and with the methods that a framework calls."""

from __future__ import annotations

import ast
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from adalint.plan import UNKNOWN_LOOP
from adalint.readers.python_allocator_calls import loaded_to_train, model_of, wrap_of
from adalint.readers.python_classes import lineage
from adalint.readers.python_hooks import Family, HookedCall
from adalint.readers.python_lightning import PER_BATCH
from adalint.readers.python_lightning_fits import idle_fits
from adalint.readers.python_loops import Found
from adalint.readers.python_moments import is_in_test
from adalint.readers.python_reach import Reach
from adalint.readers.python_scopes import FUNCTIONS
from adalint.readers.python_trainer_calls import Trainer, TrainerCalls
from adalint.training import GuardKind, Training, Use, UseKind, Way
from adalint.values import UNKNOWN, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_things import Things
    from adalint.source import Span
    from adalint.training import Hook
    from adalint.values import Kleene

_PLAIN: Final = frozenset({"Trainer", "Seq2SeqTrainer", "SFTTrainer"})
"""Trainers that train the loss which the model returns."""


def trainer_trainings(things: Things) -> list[Found]:
    """Find all trainings by a Trainer, and all allocator calls in hooks and overridden methods."""
    return _Reader(things).trainings()


class _Reader:
    def __init__(self, things: Things) -> None:
        self.things = things
        self.calls = TrainerCalls(things)
        self.map = things.map
        self.flow = things.flow
        self.classes = self.calls.classes
        self.reach = Reach(self.calls)

    def trainings(self) -> list[Found]:
        """Give one training for each hooked call and Trainer, and one for each `train()`."""
        hooked = [found for one in self.classes.calls for found in self._of_hook(one)]
        started = [self._started(trainer, call) for trainer, call in self.calls.starts]
        return hooked + started + [self._idle(call, wrap) for call, wrap in idle_fits(self.classes, self.things)]

    def _idle(self, call: ast.Call, wrap: ast.Call) -> Found:
        """Describe a run of Lightning's Trainer, which calls no allocator by itself."""
        return Found(Training(way=Way.TRAINER, at=self.map.span(call), reached=False), wrap, node=call)

    def _of_hook(self, one: HookedCall) -> list[Found]:
        linked = [trainer for trainer in self.calls.trainers if self.reach.has(trainer, one.owner)]
        return [self._hooked(one, trainer) for trainer in linked] or [self._hooked(one, None)]

    def _hooked(self, one: HookedCall, trainer: Trainer | None) -> Found:
        hook = one.call.hook
        each = one.call.guarded_by(GuardKind.BOUNDARY) is None and one.call.guarded_by(GuardKind.STEP) is None
        is_callback = one.family is Family.CALLBACK
        accumulates: Kleene = False
        factor: int | None = 1
        if one.family is Family.TRAINER:
            accumulates, factor = self._accumulation(trainer)
        elif one.family is Family.LIGHTNING:
            factor = self.classes.lightning.accumulation
            accumulates = UNKNOWN if factor is None else factor > 1
        training = Training(
            way=Way.CALLBACK if is_callback else Way.OVERRIDE,
            at=self.map.span(one.node),
            call=one.call,
            loop=replace(one.loop, allocates=UNKNOWN) if accumulates is UNKNOWN else one.loop,
            places=one.places,
            reached=True,
            accumulates=accumulates,
            accumulation=factor,
            per_micro_batch=accumulates is True and each and hook is not None and _comes_with_each_batch(hook, one),
            fp16=UNKNOWN if trainer is None or is_in_test(trainer.call, self.map) else self._fp16(trainer),
            built=None if trainer is None else self.map.span(trainer.call),
        )
        steps = None if trainer is None else self._steps(trainer)
        if trainer is not None:
            training = replace(training, loaded=self._loaded(trainer))
        if one.family is Family.LIGHTNING and training.per_micro_batch:
            training = replace(training, loop=UNKNOWN_LOOP)  # `global_step` moves between two of them
        if training.loop.allocates is True:
            calls = training.accumulation if training.per_micro_batch else 1
            training = replace(training, loop=replace(training.loop, steps=steps, calls=calls or 1))
        own = wrap_of(model_of(one.node), self.things)
        return Found(training, own or (trainer.wrap if trainer is not None else None), sure=trainer is not None)

    def _accumulation(self, trainer: Trainer | None) -> tuple[Kleene, int | None]:
        worth = UNKNOWN if trainer is None else trainer.setting("gradient_accumulation_steps", 1)[0]
        if isinstance(worth, Literal) and type(worth.value) is int:
            return worth.value > 1, worth.value
        return UNKNOWN, None

    def _fp16(self, trainer: Trainer) -> Kleene:
        worth = trainer.setting("fp16", False)[0]
        return bool(worth.value) if isinstance(worth, Literal) else UNKNOWN

    def _steps(self, trainer: Trainer) -> int | None:
        worth = trainer.setting("max_steps", -1)[0]
        is_number = isinstance(worth, Literal) and type(worth.value) is int and worth.value > 0
        return worth.value if is_number and isinstance(worth, Literal) else None

    def _started(self, trainer: Trainer, call: ast.Call) -> Found:
        accumulates, factor = self._accumulation(trainer)
        items = trainer.given("callbacks")
        return Found(
            Training(
                way=Way.TRAINER,
                at=self.map.span(call),
                reached=self.reach.reached(trainer),
                accumulates=accumulates,
                accumulation=factor,
                fp16=self._fp16(trainer),
                callbacks=None if items is None else self.map.span(items),
                built=self.map.span(trainer.call),
            ),
            trainer.wrap,
            uses=tuple(chain(self._of_loss(trainer), self._of_checkpoints(trainer, call))),
            node=call,
        )

    def _loaded(self, trainer: Trainer) -> Span | None:
        return loaded_to_train(trainer.given("model"), self.things)

    # ── uses ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _of_loss(self, trainer: Trainer) -> Iterator[Use]:
        own = trainer.owner
        bases = [trainer.path] if own is None else self.classes.foreign_bases(own)
        if not all(path is not None and path.rpartition(".")[2] in _PLAIN for path in bases):
            return
        overrides = own is not None and any(
            isinstance(part, FUNCTIONS) and part.name in {"compute_loss", "training_step"}
            for one in lineage(self.map, own)
            for part in one.body
        )
        if overrides:
            return
        smoothing, where = trainer.setting("label_smoothing_factor", 0)
        function = next((one for one in trainer.call.keywords if one.arg == "compute_loss_func"), None)
        if function is not None and isinstance(function.value, ast.Constant) and function.value.value is None:
            function = None
        if where is not None and isinstance(smoothing, Literal) and _is_positive(smoothing.value):
            yield Use(UseKind.PENALTY_BYPASSED, self.map.span(where), {"smoothing": "label_smoothing_factor"})
        elif function is not None:
            yield Use(UseKind.PENALTY_BYPASSED, self.map.span(function), {"function": "compute_loss_func"})
        elif smoothing is not UNKNOWN and not trainer.spreads:
            factor, place = trainer.setting("gradient_accumulation_steps", 1)
            if place is not None and isinstance(factor, Literal) and type(factor.value) is int and factor.value > 1:
                written = ast.unparse(place.value)
                found = {"factor": str(factor.value), "times": factor.value, "written": written}
                yield Use(UseKind.ACCUMULATION, self.map.span(place), found)

    def _of_checkpoints(self, trainer: Trainer, call: ast.Call) -> Iterator[Use]:
        if self.reach.reached(trainer) is not True:
            return
        resumed = next((one.value for one in call.keywords if one.arg == "resume_from_checkpoint"), None)
        resumed = call.args[0] if resumed is None and call.args else resumed
        worth = None if resumed is None else self.flow.value(resumed)
        if isinstance(worth, Literal) and (worth.value is True or (isinstance(worth.value, str) and worth.value)):
            yield Use(UseKind.RESUMED, self.map.span(call))
        best, place = trainer.setting("load_best_model_at_end", False)
        if place is not None and best == Literal(True):
            yield Use(UseKind.BEST_CHECKPOINT, self.map.span(place))


def _comes_with_each_batch(hook: Hook, one: HookedCall) -> bool:
    """Tell whether a method comes with each backward pass, where several make one step."""
    if one.family is Family.LIGHTNING:
        return hook.name in PER_BATCH and not one.call.guards
    return hook.name == "training_step"


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
