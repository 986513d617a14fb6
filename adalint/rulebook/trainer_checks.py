"""Checks of what a framework trains: the hooks that call the allocator, and what is asked of a Trainer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from adalint.plan import RIGHT_LOOP, UNKNOWN_LOOP, Counter, Event, Loop
from adalint.rulebook.hit import Hit
from adalint.training import Counting, GuardKind, UseKind, Way
from adalint.values import UNKNOWN, Literal, compare, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.rulebook.judge import SiteFacts
    from adalint.source import Span
    from adalint.training import AllocatorCall, Hook, Use

HOOKS_SINCE: Final = "4.42"
"""The release of transformers that brought `on_optimizer_step` and `on_pre_optimizer_step`."""

PENALTY_MULTIPLIED_SINCE: Final = "4.46"

_PENALTY: Final = 0.5
"""`orth_reg_weight` where it is not given."""

_CLEARED: Final = {"on_step_end": "after", "on_step_begin": "begin", "on_log": "log", "on_substep_end": "substep"}
"""Hooks in which the gradients are gone, or not there yet, with the word that a message may ask for."""

_RARE: Final = ("on_epoch_begin", "on_epoch_end", "on_evaluate", "on_save", "on_train_begin")
"""Hooks that come now and then, without gradients: a call there is no more than that, unless there is another one."""

_SAME_MOMENT: Final = ("on_step_end", "on_step_begin")
"""Of these, the ones that come once for each step, so that the run that crashes is the one that was meant."""

_REGISTERED: Final = "register_step_pre_hook"
_BEFORE_STEP: Final = (
    *("on_pre_optimizer_step", "on_before_optimizer_step", "on_after_backward", "training_step"),
    _REGISTERED,
)


def trainer_never_allocates(facts: SiteFacts) -> Iterator[Hit]:
    """Find a Trainer that trains this configuration, none of whose callbacks and methods calls the allocator."""
    from adalint.readers.neighbours import allocates_nearby

    for training in facts.site.trainings:
        if training.way is Way.TRAINER and training.reached is False and not allocates_nearby(facts.site.source):
            if training.built is None:
                yield Hit((), {"lightning": "on_train_batch_end"}, (training.at,))
                continue
            if not _is_one_run(facts, training.built):
                yield Hit((), {}, (training.at,))
                continue
            loops = (Loop(allocates=False), replace(RIGHT_LOOP, counter=Counter(start=1)))
            yield Hit((), {"trainer": "Trainer", "built": training.built, "loops": loops}, (training.at,))


def _is_one_run(facts: SiteFacts, built: Span) -> bool:
    """Tell whether a callback for AdaLoRA finds an adapter in every run, and one that is not pruned yet."""
    from adalint.readers.python_once import is_always_wrapped, is_trained_once

    source, made = facts.site.source, facts.site.span
    return is_always_wrapped(source, made, built) and is_trained_once(source, made, built)


def hook_before_step(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call in a hook between the backward pass and the optimizer's step, which revives what is masked."""
    for call, hook in _hooks(facts):
        is_between = hook.name in _BEFORE_STEP if not hook.order else _is_between(hook)
        if not is_between or (hook.name == "training_step" and not hook.after):
            continue
        if any(one.call == call and one.per_micro_batch for one in facts.site.trainings):
            continue  # ADA408 tells more
        if any(one.call == call and one.places for one in facts.site.trainings) and not is_led(call):
            continue  # the loop tells more
        found: dict[str, Any] = {"hook_name": hook.name, "hook": hook.word, "class_name": hook.class_name}
        found["renamable"] = hook.name == "on_pre_optimizer_step" and hook.alone and not _is_older(facts, HOOKS_SINCE)
        if hook.name == _REGISTERED:
            found |= registered_otherwise(hook, UNKNOWN_LOOP)
        elif hook.name == "optimizer_step":
            del found["hook_name"]  # it is itself what makes the step
        elif hook.name == "training_step":
            found["overridden"] = hook.name
        elif found["renamable"]:
            found["loops"] = (_loop_in(call, hook, facts), RIGHT_LOOP)
        yield Hit((), found, (hook.word, call.span))


def hook_before_backward(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call in a method of Lightning that comes before any backward pass has been made."""
    for call, hook in _hooks(facts):
        if Event.ALLOCATE not in hook.order or Event.BACKWARD in hook.order[: hook.order.index(Event.ALLOCATE)]:
            continue
        if not call.guards and not _makes_gradients(call, facts):
            yield Hit((), {"hook_name": hook.name}, (hook.word, call.span))


def once_an_epoch(facts: SiteFacts) -> Iterator[Hit]:
    """Find the one call of a file in the method that Lightning calls at the end of an epoch."""
    hooked = list(_hooks(facts))
    if len(hooked) == 1 and hooked[0][1].name == "on_train_epoch_end" and not hooked[0][0].guards:
        call, hook = hooked[0]
        yield Hit((), {"rarely": hook.name}, (hook.word, call.span))


def _is_between(hook: Hook) -> bool:
    at = hook.order.index(Event.ALLOCATE)
    return Event.BACKWARD in hook.order[:at] and Event.STEP in hook.order[at:]


def is_led(call: AllocatorCall) -> bool:
    """Tell whether a framework decides when a call is made; the step hooks of PyTorch follow the file's own loop."""
    return call.hook is not None and call.hook.framework != "torch"


def registered_otherwise(hook: Hook, loop: Loop) -> dict[str, Any]:
    """Say how a hook of the optimizer's step is to be registered, and the loops before and after that."""
    if hook.name != _REGISTERED:
        return {}
    between = (Event.BACKWARD, Event.ALLOCATE, Event.STEP, Event.ZERO_GRAD)
    known = loop if loop.allocates is True else replace(RIGHT_LOOP, order=between)
    return {"hook": hook.word, "registered": hook.name, "loops": (known, replace(known, order=RIGHT_LOOP.order))}


def wrong_callback_hook(facts: SiteFacts) -> Iterator[Hit]:
    """Find a TrainerCallback that calls the allocator in a hook where no gradients are left."""
    hooked = list(_hooks(facts))
    if len(hooked) == 1 and hooked[0][1].name in _RARE and not hooked[0][0].guards:
        call, hook = hooked[0]
        if not _makes_gradients(call, facts):
            yield Hit((), {"rarely": hook.name, "renamable": False}, (hook.word, call.span))
    for call, hook in hooked:
        if hook.framework != "transformers" or hook.name not in _CLEARED or _makes_gradients(call, facts):
            continue
        text = "" if call.argument is None else facts.site.source.slice(call.argument)
        counted = call.counting is Counting.STEPS and text.endswith(".global_step")
        # In `on_optimizer_step` the number lags: it ends with T - 1, which ends pruning only if tfinal is above 0.
        lags = compare(">", facts.value("tfinal"), Literal(0)) is not True
        right = replace(RIGHT_LOOP, counter=Counter(start=1 if lags and counted else 0))
        found = {
            _CLEARED[hook.name]: hook.name,
            "hook": hook.word,
            "class_name": hook.class_name,
            "renamable": hook.alone and not _is_older(facts, HOOKS_SINCE) and (counted or not lags),
            "repairs": hook.name in _SAME_MOMENT,
            "counter": call.argument if lags and counted else None,
            "loops": (_loop_in(call, hook, facts), right),
        }
        yield Hit((), found, (hook.word, call.span))


def hook_needs_newer_transformers(facts: SiteFacts) -> Iterator[Hit]:
    """Find a hook that the pinned release of transformers does not call."""
    if _is_older(facts, HOOKS_SINCE):
        for call, hook in _hooks(facts):
            if hook.framework == "transformers" and hook.name in {"on_optimizer_step", "on_pre_optimizer_step"}:
                found = {"hook_name": hook.name, "transformers": facts.transformers, "since": HOOKS_SINCE}
                yield Hit((), found, (hook.word, call.span))


def trainer_overflow(facts: SiteFacts) -> Iterator[Hit]:
    """Find a hook in an fp16 Trainer that calls the allocator without asking whether the gradients were finite."""
    for training in facts.site.trainings:
        call = training.call
        if call is None or call.hook is None or training.fp16 is not True:
            continue
        if call.guarded_by(GuardKind.FINITE) is None:
            yield Hit((), {"trainer": "Trainer"}, (call.hook.word, call.span))


def orth_penalty_bypassed(facts: SiteFacts) -> Iterator[Hit]:
    """Find a loss that is not the model's own, so that the penalty, which the model adds to its loss, is lost."""
    if _has_penalty(facts) and facts.value("task_type") != Literal(None):
        for use in _uses(facts, UseKind.PENALTY_BYPASSED):
            yield Hit((), use.found, (use.span,))


def orth_penalty_multiplied(facts: SiteFacts) -> Iterator[Hit]:
    """Find gradient accumulation in a Trainer, which scales the loss of a causal model back, but not the penalty.

    A weight that is written as a quotient by that number is meant so.
    """
    task = facts.value("task_type")
    is_causal = isinstance(task, Literal) and str(task.value).rpartition(".")[2] == "CAUSAL_LM"
    if not is_causal or not _has_penalty(facts) or _is_older(facts, PENALTY_MULTIPLIED_SINCE):
        return
    given = facts.site.values.get("orth_reg_weight")
    written = str(_PENALTY) if given is None else given.text
    for use in _uses(facts, UseKind.ACCUMULATION):
        factor, name = use.found["factor"], use.found["written"]
        if re.search(rf"/\s*({factor}|{re.escape(name)})\)*$", written) is None:
            weight = written if re.fullmatch(r"[\w.]+", written) else f"({written})"
            divisor = name if _is_written_number(name) or _is_known_there(use, facts) else None
            found = {} if divisor is None else {"divided": f"{weight} / {divisor}"}
            yield Hit((), {**use.found, **found}, (use.span,))


def _is_written_number(text: str) -> bool:
    return text.isdecimal()


def _is_known_there(use: Use, facts: SiteFacts) -> bool:
    """Tell whether the number of micro-batches has a name that the configuration could be written with."""
    from adalint.readers.python_scopes import map_of

    file_map = map_of(facts.site.source)
    made = next((one for one in file_map.calls() if file_map.span(one) == facts.site.span), None)
    given = next(
        (word.value for one in file_map.calls() for word in one.keywords if file_map.span(word) == use.span), None
    )
    is_name = re.fullmatch(r"[\w.]+", use.found["written"]) is not None
    return made is not None and given is not None and is_name and file_map.names_bound_before(given, made)


def resume_after_pruning(facts: SiteFacts) -> Iterator[Hit]:
    """Find a run that goes on from a checkpoint, whose tensors have the size of its mask."""
    for use in _uses(facts, UseKind.RESUMED):
        yield Hit((), use.found, (use.span,))


def best_checkpoint_may_not_load(facts: SiteFacts) -> Iterator[Hit]:
    """Find a run that loads an earlier checkpoint when it is done."""
    for use in _uses(facts, UseKind.BEST_CHECKPOINT):
        yield Hit((), use.found, (use.span,))


def _hooks(facts: SiteFacts) -> Iterator[tuple[AllocatorCall, Hook]]:
    """Give the calls in hooks, each once however many Trainers have it."""
    calls = {one.call.span: one.call for one in facts.site.trainings if one.call is not None}
    yield from ((call, call.hook) for call in calls.values() if call.hook is not None)


def _makes_gradients(call: AllocatorCall, facts: SiteFacts) -> bool:
    """Tell whether the method makes a backward pass of its own."""
    places = (place for one in facts.site.trainings if one.call == call for place in one.places)
    return any(place.event is Event.BACKWARD for place in places)


def _loop_in(call: AllocatorCall, hook: Hook, facts: SiteFacts) -> Loop:
    """Give the loop that a call in a hook makes of the Trainer's."""
    known = next((one.loop for one in facts.site.trainings if one.call == call), UNKNOWN_LOOP)
    if known.allocates is UNKNOWN and hook.name == "on_log":
        return replace(RIGHT_LOOP, order=(Event.BACKWARD, Event.STEP, Event.ZERO_GRAD, Event.ALLOCATE))
    if known.allocates is UNKNOWN and hook.name == "on_substep_end":
        return Loop(allocates=False)
    return replace(known, steps=None)


def _uses(facts: SiteFacts, kind: UseKind) -> Iterator[Use]:
    yield from (use for use in facts.site.uses if use.kind is kind)


def _has_penalty(facts: SiteFacts) -> bool:
    weight = facts.value("orth_reg_weight")
    return isinstance(weight, Literal) and is_number(weight.value) and weight.value > 0


def _is_older(facts: SiteFacts, release: str) -> bool:
    from packaging.version import Version

    return facts.transformers is not None and Version(facts.transformers) < Version(release)
