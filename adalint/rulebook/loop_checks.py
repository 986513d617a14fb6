"""Checks of training loops: whether, where and with which number the allocator is called.

Each asks the neutral facts of `Site.trainings`; what follows from a mistake, and at which step, the trace says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from adalint.fixes.operations import DropGuard, InsertCall, MoveCall
from adalint.plan import RIGHT_LOOP, Counter, Event, Guard, Loop
from adalint.rulebook.hit import Hit
from adalint.rulebook.trainer_checks import (
    hook_before_backward,
    hook_before_step,
    is_led,
    once_an_epoch,
    registered_otherwise,
    trainer_never_allocates,
    trainer_overflow,
)
from adalint.trace import Undetermined, trace
from adalint.training import Counting, GuardKind, Training, Way
from adalint.values import UNKNOWN, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adalint.rulebook.judge import SiteFacts
    from adalint.source import Span
    from adalint.trace import Trace
    from adalint.training import AllocatorCall, GuardPlace, Place

MODULES: Final = 4
_CLEARING: Final = (Event.ZERO_GRAD, Event.ZERO_FILL)


def allocator_never_called(facts: SiteFacts) -> Iterator[Hit]:
    """Find a loop that trains this configuration and never calls the allocator, nor hands that to anyone."""
    if facts.value("inference_mode") == Literal(True):
        return  # nothing is trained that could be pruned
    yield from trainer_never_allocates(facts)
    for training in facts.site.trainings:
        if training.way is Way.MANUAL and training.reached is False and not _is_done_nearby(facts):
            yield Hit((), _inserted(training, facts), (training.at,))


def _inserted(training: Training, facts: SiteFacts) -> dict[str, Any]:
    """Write the call that is missing, and the loops without and with it."""
    place = training.insertion
    if place is None:
        return {}
    counter, start = place.counter, place.start
    if start == 0 and facts.value("tfinal") == Literal(0):
        # Without a final phase the last step must be reached, and an index ends one before it.
        counter, start = f"{counter} + 1", 1
    if place.handed is not None:
        counter = f"next({place.counter}){counter.removeprefix(place.counter)}"
    text = f"{place.owner}.update_and_allocate({counter})"
    # Where gradients may overflow, a call without a condition would be ADA423.
    finite = f"all(p.grad.isfinite().all() for p in {place.owner}.parameters() if p.grad is not None)"
    gate = finite if training.fp16 is True else None
    loops = (Loop(allocates=False), replace(RIGHT_LOOP, counter=Counter(start=start)))
    new, above = (place.counter, place.loop) if place.is_new else (None, None)
    insert = InsertCall(text, place.after, gate, new, above, place.boundary, place.handed)
    return {"call": text, "insert": insert, "loops": loops}


def _moved(training: Training, call: AllocatorCall) -> dict[str, Any]:
    """Say where the call belongs: directly below the last step of an optimizer."""
    steps = [place for place in training.places if place.event is Event.STEP]
    if call.hook is not None:
        return registered_otherwise(call.hook, training.loop)
    if not steps or training.per_micro_batch or not training.anchored:
        return {}
    events = [place.event for place in training.places]
    others = [event for event in events if event is not Event.ALLOCATE]
    last = len(others) - others[::-1].index(Event.STEP)
    known = training.loop if training.loop.allocates is True else RIGHT_LOOP
    loops = (
        replace(known, order=_plain(events)),
        replace(known, order=_plain([*others[:last], Event.ALLOCATE, *others[last:]])),
    )
    return {"move": MoveCall(call.statement, steps[-1].statement), "loops": loops}


def _plain(events: Sequence[Event]) -> tuple[Event, ...]:
    """Write events that follow each other several times once."""
    return tuple(event for at, event in enumerate(events) if at == 0 or events[at - 1] is not event)


def allocate_after_zero_grad(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call that stands between `zero_grad` and the next backward pass."""
    for training, call in _called(facts.site.trainings):
        cleared = _cleared_before(training)
        if cleared is None or training.accumulates is UNKNOWN or is_led(call):
            continue
        filled = any(place.event is Event.ZERO_FILL for place in _since_backward(training))
        found = {"filled" if filled else "cleared": call.owner, **_moved(training, call)}
        if training.at == call.span:
            if facts.given("rank_pattern") is not False:
                continue  # the masks of a former run need no gradients
            found["below"] = call.owner
        yield _hit(call, training, facts, found, related=cleared)


def allocate_before_backward(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call that precedes the backward pass of its iteration, so that the first one finds no gradients."""
    yield from hook_before_backward(facts)
    for training, call in _called(facts.site.trainings):
        if is_led(call):
            continue
        events = [place.event for place in training.places]
        before = events[: events.index(Event.ALLOCATE)]
        if Event.BACKWARD in events and Event.BACKWARD not in before and _cleared_before(training) is None:
            yield _hit(call, training, facts, _moved(training, call))


def allocate_before_optimizer_step(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call between the backward pass and the optimizer's step, which revives what it has masked."""
    yield from hook_before_step(facts)
    for training, call in _called(facts.site.trainings):
        if is_led(call):
            continue
        events = [place.event for place in training.places]
        at = events.index(Event.ALLOCATE)
        if (
            Event.BACKWARD in events[:at]
            and Event.STEP not in events[:at]
            and Event.STEP in events[at:]
            and not any(event in _CLEARING for event in events[events.index(Event.BACKWARD) : at])
            and not (training.accumulates is not False and training.per_micro_batch)
        ):
            step = next(place for place in training.places[at:] if place.event is Event.STEP)
            yield _hit(call, training, facts, _moved(training, call), related=step.span)


def allocate_guarded_by_its_result(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call that waits for `rank_pattern`, which only the call sets."""
    pattern = facts.value("rank_pattern")
    given = facts.given("rank_pattern")
    for training, call in _all_calls(facts.site.trainings):
        guard = call.guarded_by(GuardKind.RANK_PATTERN)
        if guard is None:
            continue
        opened = given is not False and isinstance(pattern, Literal) and pattern.value is not None
        if not opened and (given is False or isinstance(pattern, Literal) or not facts.site.values):
            yield Hit((), _freed(training, call, guard), (place_of(call), guard.part))


def _freed(training: Training, call: AllocatorCall, guard: GuardPlace) -> dict[str, Any]:
    """Free the call of a condition; the others stay."""
    known = training.loop if training.loop.allocates is True else replace(RIGHT_LOOP, guard=_supposed(guard))
    loops = (known, replace(known, guard=Guard()))
    return {"free": DropGuard(call.statement, guard.statement, guard.part), "loops": loops}


def _supposed(guard: GuardPlace) -> Guard:
    return Guard(needs_rank_pattern=True) if guard.kind is GuardKind.RANK_PATTERN else Guard(every=2)


def allocate_not_every_step(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call that is made at some steps only: the steps between revive what was masked."""
    yield from once_an_epoch(facts)
    for training, call in _all_calls(facts.site.trainings):
        guard = call.guarded_by(GuardKind.STEP)
        if guard is None or training.accumulates is not False:
            continue
        ended = _traced(facts, training)
        is_only_call = [place.event for place in training.places].count(Event.ALLOCATE) == 1
        every = max(training.loop.guard.every, guard.every if is_only_call else 1)
        if every > 1:
            found = {"every": str(every), **_outcome(ended), **_freed(training, call, guard)}
            yield Hit((), found, (place_of(call), guard.part))
        elif ended is not None and (ended.exception or ended.live != ended.kept):
            yield Hit((), {**_outcome(ended), **_freed(training, call, guard)}, (place_of(call), guard.part))


def allocate_per_micro_batch(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call that is made, or counted, with each backward pass where the optimizer steps less often."""
    for training, call in _called(facts.site.trainings):
        if training.accumulates is not True:
            continue
        ended = _outcome(_traced(facts, training))
        if training.per_micro_batch and call.counting is Counting.STEPS:
            yield Hit((), {"each": call.owner or "the model", **ended}, (place_of(call),))
        elif call.counting is Counting.MICRO_BATCHES and not _counts_micro_batches(facts):
            micro = facts.site.source.slice(call.argument) if call.argument else ""
            yield Hit((), {"micro": micro, **ended}, (place_of(call),))


def step_counter_restarts(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call that is given the index of an epoch, or the same number at every step."""
    for training, call in _all_calls(facts.site.trainings):
        if call.argument is None:
            continue
        if call.counting is Counting.EPOCH:
            yield Hit((), {"index": facts.site.source.slice(call.argument)}, (place_of(call), call.argument))
        elif call.counting is Counting.NOTHING and not call.guards:
            ended = _traced(facts, training)
            number = training.loop.counter.start
            is_amiss = number == 0 if ended is None else ended.exception is not None or not ended.finalised
            if training.loop.allocates is True and is_amiss:
                found = {"number": str(number), **_outcome(ended)}
                yield Hit((), found, (place_of(call), call.argument))


def allocate_error_swallowed(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call around which a broad exception is caught and dropped."""
    for _, call in _all_calls(facts.site.trainings):
        if call.swallowed is not None:
            yield Hit((), {"exception": call.swallowed}, (place_of(call),))


def gradients_filled_with_zeros(facts: SiteFacts) -> Iterator[Hit]:
    """Find gradients that are filled with zeros just before the call, so that all scores are zero."""
    for training, call in _called(facts.site.trainings):
        by_hand = [
            place
            for place in _since_backward(training)
            if place.event is Event.ZERO_FILL and "zero_grad" not in facts.site.source.slice(place.span)
        ]
        if by_hand:
            yield Hit((), spans=(place_of(call), by_hand[0].span))


def overflow_poisons_scores(facts: SiteFacts) -> Iterator[Hit]:
    """Find a call in a loop whose gradients may overflow, which does not ask whether they did."""
    yield from trainer_overflow(facts)
    for training, call in _all_calls(facts.site.trainings):
        if training.fp16 is True and training.way is Way.MANUAL and call.guarded_by(GuardKind.FINITE) is None:
            yield Hit((), spans=(place_of(call),))


def final_cut_never_reached(facts: SiteFacts) -> Iterator[Hit]:
    """Find a schedule without a final phase whose last step the counter never reaches."""
    match facts.value("tfinal"), facts.value("deltaT"):
        case Literal(0), Literal(int() as every) if every > 1:
            for training, call in _all_calls(facts.site.trainings):
                ended = _traced(facts, training)
                if call.counting is not Counting.STEPS or training.loop.counter.start != 0:
                    continue
                if training.loop.allocates is not True or (ended is not None and not _ends_uncut(ended)):
                    continue
                found = {} if ended is None else {"cut" if ended.kept is not None else "whole": str(every)}
                at = tuple(name for name in ("tfinal", "deltaT") if name in facts.site.values)
                yield Hit(at, found, () if at else (facts.site.head,))


def _ends_uncut(ended: Trace) -> bool:
    """Tell whether a run ends without its last mask, and in memory with other ranks than it saves."""
    return not ended.finalised and ended.exception is None and ended.live != ended.kept


# ── what the checks share ────────────────────────────────────────────────────────────────────────────────────────────


def place_of(call: AllocatorCall) -> Span:
    """Give the place that a finding points at: the call, or the method that a framework calls with it inside."""
    return call.span if call.hook is None else call.hook.word


def _all_calls(trainings: tuple[Training, ...]) -> Iterator[tuple[Training, AllocatorCall]]:
    yield from ((one, one.call) for one in trainings if one.call is not None)


def _called(trainings: tuple[Training, ...]) -> Iterator[tuple[Training, AllocatorCall]]:
    """Give the trainings whose events are all known, with their call of the allocator."""
    for training, call in _all_calls(trainings):
        if [place.event for place in training.places].count(Event.ALLOCATE) == 1:
            yield training, call


def _since_backward(training: Training) -> list[Place]:
    """Give what happens between the last backward pass and the call, the end of the former iteration included."""
    places = list(training.places)
    at = next(index for index, place in enumerate(places) if place.event is Event.ALLOCATE)
    found = []
    for place in reversed([*places[at + 1 :], *places[:at]]):
        if place.event is Event.BACKWARD:
            break
        found.append(place)
    return found


def _cleared_before(training: Training) -> Span | None:
    """Find the `zero_grad` between the last backward pass and the call, one that is sure to be made."""
    return next((one.span for one in _since_backward(training) if one.event in _CLEARING and one.sure), None)


def _hit(
    call: AllocatorCall, training: Training, facts: SiteFacts, found: dict[str, Any], *, related: Span | None = None
) -> Hit:
    spans = (place_of(call),) if related is None else (place_of(call), related)
    return Hit((), {**found, **_outcome(_traced(facts, training))}, spans)


def _traced(facts: SiteFacts, training: Training) -> Trace | None:
    """Run the trace with this training's loop; None where something is unknown."""
    if training.loop.allocates is UNKNOWN:
        return None
    try:
        return trace(replace(facts.plan, loop=training.loop).assume({"modules": MODULES}))
    except Undetermined:
        return None


def _outcome(ended: Trace | None) -> dict[str, str]:
    """Put into words' reach how a run ends."""
    if ended is None or ended.exception is None:
        # Ranks that are left depend on the number of modules, which no script tells.
        return {}
    return {"exception": ended.exception, "step": str(ended.failing_step)}


def _is_done_nearby(facts: SiteFacts) -> bool:
    """Tell whether another file of the package may do what this one leaves out; files are read only for this."""
    from adalint.readers.neighbours import allocates_nearby

    return allocates_nearby(facts.site.source)


def _counts_micro_batches(facts: SiteFacts) -> bool:
    """Tell whether `total_step` may count micro-batches, too: it is no literal and divides by nothing."""
    value = facts.site.values.get("total_step")
    return value is None or not ("//" in value.text or "/" in value.text or isinstance(value.expr, Literal))
