"""How a Python file trains with its own loops: the order of events, who counts, and what stands around the call."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from adalint.plan import RIGHT_LOOP, UNKNOWN_LOOP, Counter, Event, Loop
from adalint.readers.python_accumulation import accumulation_of, is_micro_loop, is_per_micro_batch
from adalint.readers.python_allocator_calls import described_call, hook_of_step, loaded_to_train, model_of, wrap_of
from adalint.readers.python_counters import (
    UNCOUNTED,
    Circumstances,
    counted,
    loops_around,
    rounds,
    texts,
)
from adalint.readers.python_insertions import insertion
from adalint.readers.python_iterations import ALLOCATE, Happening, Iteration, Walker
from adalint.readers.python_late_calls import below_a_loop
from adalint.readers.python_loop_guards import guards_around, traced_guard
from adalint.readers.python_moments import is_in_test
from adalint.readers.python_owners import Owners
from adalint.readers.python_scopes import FUNCTIONS, dotted
from adalint.readers.python_things import Thing, Things
from adalint.training import AllocatorCall, Counting, Insertion, Place, Training, Way
from adalint.values import UNKNOWN, Kleene, Literal

if TYPE_CHECKING:
    from adalint.readers.python_counters import Counted
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FileMap
    from adalint.readers.python_step_hooks import StepHook
    from adalint.training import Use

_SIGN: Final = ALLOCATE.encode()


@dataclass(frozen=True, slots=True)
class Found:
    """A training, with the call of `get_peft_model` that made its model (None where nothing tells)."""

    training: Training
    wrap: ast.Call | None = None
    sure: bool = False
    """The allocator is called on that very model."""
    uses: tuple[Use, ...] = ()
    """What else this training asks of the model."""
    node: ast.AST | None = None
    """The optimizer's step, or the call of the allocator or of `train()`, where the training happens."""
    iteration: Iteration | None = None
    """One round of a manual loop that makes an optimizer step with each backward pass."""


def manual_trainings(flow: Flow, things: Things) -> list[Found]:
    """Find the loops of a file that make backward passes and optimizer steps, innermost first."""
    walker = Walker(things)
    found: list[Found] = []
    iterations: list[Iteration] = []
    claimed: set[ast.AST] = {call for call in flow.map.calls() if _is_on_something_else(call, things)}
    for owner in _owners(flow):
        iteration = walker.iteration(owner)
        steps, backwards = iteration.of(Event.STEP), iteration.of(Event.BACKWARD)
        if not steps or not backwards or any(step.node in claimed for step in steps):
            continue
        if isinstance(owner, FUNCTIONS) and flow.map.callers_of(owner):
            continue
        claimed |= {one.node for one in iteration.happenings}
        found.append(_training(iteration, flow, things))
        iterations.append(iteration)
    for call in flow.map.calls():
        if call not in claimed and isinstance(call.func, ast.Attribute) and call.func.attr == ALLOCATE:
            lone = _lone_call(call, walker.hooks.around(call), flow, things)
            training = below_a_loop(call, iterations, walker) or lone
            found.append(Found(training, wrap_of(model_of(call), things), node=call))
    return found


def _owners(flow: Flow) -> list[ast.For | ast.AsyncFor | ast.While | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give what may be an iteration: inner loops first, before those of a function's callers too, functions last."""
    kinds = (ast.For, ast.AsyncFor, ast.While, *FUNCTIONS)
    nodes = [node for node in flow.map.nodes() if isinstance(node, kinds)]
    depth = {
        node: (
            isinstance(node, FUNCTIONS),
            -sum(1 for _ in loops_around(node, flow.map)),
            -sum(1 for _ in flow.map.parents(node)),
            node.lineno,
        )
        for node in nodes
    }
    return sorted(nodes, key=lambda node: depth[node])


def _training(iteration: Iteration, flow: Flow, things: Things) -> Found:
    file_map = flow.map
    calls = iteration.of(Event.ALLOCATE)
    owners = _owners_of(iteration, things)
    iteration = iteration if owners is None else owners.own(iteration)
    step = iteration.of(Event.STEP)[0]
    cleared = owners is None or owners.is_cleared(iteration)
    accumulates, factor = accumulation_of(iteration, step, flow, things)
    here = Training(
        way=Way.MANUAL,
        at=file_map.span(step.node),
        places=() if iteration.opaque else _places(iteration, step, flow, cleared=cleared),
        reached=bool(calls) or (UNKNOWN if iteration.opaque or _may_be_left_out(iteration, file_map) else False),
        accumulates=accumulates,
        accumulation=factor,
        micro_rounds=is_micro_loop(iteration),
        fp16=_may_overflow(iteration, things),
        anchored=owners is None or owners.keeps_gradients(iteration),
    )
    stepping = iteration if accumulates is False and not iteration.opaque else None
    if not calls:
        wrap = _wrap_in(iteration, things)
        inserted = _insertion(iteration, step, accumulates, wrap, things) if here.anchored else None
        return Found(replace(here, insertion=inserted), wrap, node=step.node, iteration=stepping)
    call = calls[0]
    circumstances = Circumstances(step, accumulates is True and is_micro_loop(iteration))
    number = counted(call, iteration, circumstances, flow) if accumulates is not UNKNOWN else UNCOUNTED
    per_micro = accumulates is True and is_per_micro_batch(call, step, iteration)
    guards = guards_around(call, step, iteration, flow)
    made = described_call(call, number.counting, guards, flow, things)
    here = replace(here, call=made, per_micro_batch=per_micro, loaded=loaded_to_train(model_of(call.node), things))
    if call.around.hooked is not None and here.fp16 is True:
        here = replace(here, fp16=UNKNOWN)  # a scaler that finds an overflow makes no step, so that no hook runs
    if len(calls) == 1 and not iteration.opaque and cleared:
        here = replace(here, loop=_loop(iteration, call, number, here, flow))
    own = wrap_of(model_of(call.node), things)
    made_by = own or _wrap_in(iteration, things)
    return Found(here, made_by, sure=own is not None, node=step.node, iteration=stepping)


def _owners_of(iteration: Iteration, things: Things) -> Owners | None:
    """Tell by the model of a loop whose its events are: the one that the allocator is called on, else what it calls."""
    models = [model for call in iteration.of(Event.ALLOCATE) if (model := model_of(call.node)) is not None]
    if not models:
        wrap = _wrap_in(iteration, things)
        models = [func for func in iteration.called if wrap is not None and wrap_of(func, things) is wrap]
    return Owners(models[0], things) if models else None


def _insertion(
    iteration: Iteration, step: Happening, accumulates: Kleene, wrap: ast.Call | None, things: Things
) -> Insertion | None:
    called = next((func for func in iteration.called if wrap is not None and wrap_of(func, things) is wrap), None)
    if called is None:
        return None
    circumstances = Circumstances(step, accumulates is True and is_micro_loop(iteration))
    return insertion(iteration, called, circumstances, accumulates, things)


def _may_overflow(iteration: Iteration, things: Things) -> Kleene:
    """Tell whether gradients are scaled, so that some of them overflow: by a scaler, or by accelerate."""
    for one in (*iteration.of(Event.STEP), *iteration.of(Event.BACKWARD)):
        if not (isinstance(one.node, ast.Call) and isinstance(one.node.func, ast.Attribute)):
            continue
        owner = one.node.func.value
        thing, made = things.of(owner), things.made(owner)
        if thing not in {Thing.SCALER, Thing.ACCELERATOR}:
            continue
        if made is None or made.args[1:] or any(given.arg is None for given in made.keywords):
            return UNKNOWN
        given = {str(one.arg): things.flow.value(one.value) for one in made.keywords}
        if thing is Thing.SCALER:
            enabled = given.get("enabled", Literal(True))
            return bool(enabled.value) if isinstance(enabled, Literal) else UNKNOWN
        precision = given.get("mixed_precision", UNKNOWN)
        return precision.value == "fp16" if isinstance(precision, Literal) else UNKNOWN
    return False


def _may_be_left_out(iteration: Iteration, file_map: FileMap) -> bool:
    """Tell whether the allocator is named elsewhere in the file, or this is a test, which trains for another end."""
    return _SIGN in file_map.source.content or is_in_test(iteration.owner, file_map)


def _places(iteration: Iteration, step: Happening, flow: Flow, *, cleared: bool) -> tuple[Place, ...]:
    calls = iteration.of(Event.ALLOCATE)
    shared = texts(step.around).union(*(texts(call.around) for call in calls))
    unsure = () if cleared else (Event.ZERO_GRAD, Event.ZERO_FILL)
    return tuple(
        Place(
            one.event,
            flow.map.span(one.node),
            flow.map.span(one.statement),
            sure=one.event not in unsure and texts(one.around) <= shared,
        )
        for one in iteration.happenings
    )


def _is_on_something_else(call: ast.Call, things: Things) -> bool:
    """Tell whether the method belongs to an object of a class of this file, so that it is not PEFT's."""
    owner = model_of(call) if isinstance(call.func, ast.Attribute) and call.func.attr == ALLOCATE else None
    made = None if owner is None else things.made(owner)
    return made is not None and things.map.class_named(made.func) is not None


def _wrap_in(iteration: Iteration, things: Things) -> ast.Call | None:
    """Find the model of a loop: what it calls, of all that `get_peft_model` returned, when that is one."""
    wraps = {wrap for func in iteration.called if (wrap := wrap_of(func, things)) is not None}
    return wraps.pop() if len(wraps) == 1 else None


def _lone_call(call: ast.Call, hooked: StepHook | None, flow: Flow, things: Things) -> Training:
    """Describe an allocator call of which no loop is in sight."""
    statement = flow.map.statement_of(call) or call
    span = flow.map.span(call)
    hook = None if hooked is None else hook_of_step(hooked, flow.map)
    made = AllocatorCall(span, flow.map.span(statement), dotted(model_of(call) or call.func), hook=hook)
    loaded = loaded_to_train(model_of(call), things)
    return Training(Way.MANUAL, span, call=made, reached=True, loaded=loaded)


def _loop(iteration: Iteration, call: Happening, number: Counted, training: Training, flow: Flow) -> Loop:
    """Write the loop as the trace runs it; UNKNOWN_LOOP where anything about it is open."""
    made = training.call
    guard = None if made is None else traced_guard(call, made.guards, number, flow)
    order = _order(iteration)
    if guard is None or order is None or call.around.swallowed:
        return UNKNOWN_LOOP
    if number.start is None or _jumps(iteration):
        return replace(UNKNOWN_LOOP, guard=guard)
    steps = _steps(iteration, flow)
    if training.accumulates is False:
        if number.counting not in {Counting.STEPS, Counting.NOTHING}:
            return UNKNOWN_LOOP
        counter = Counter(start=number.start, stride=int(number.counting is Counting.STEPS))
        return replace(RIGHT_LOOP, order=order, counter=counter, guard=guard, steps=steps)
    factor = training.accumulation
    if training.accumulates is UNKNOWN or factor is None:
        return UNKNOWN_LOOP
    steps = None if steps is None or not is_micro_loop(iteration) else steps // factor
    loop = replace(RIGHT_LOOP, order=order, guard=guard, steps=steps)
    match number.counting, training.per_micro_batch:
        case Counting.STEPS, per_micro:
            return replace(loop, counter=Counter(start=number.start), calls=factor if per_micro else 1)
        case Counting.MICRO_BATCHES, True:
            return replace(loop, counter=Counter(start=number.start, stride=factor, call_stride=1), calls=factor)
        case Counting.MICRO_BATCHES, False:
            return replace(loop, counter=Counter(start=number.start + factor - 1, stride=factor))
    return UNKNOWN_LOOP


def _jumps(iteration: Iteration) -> bool:
    """Tell whether a round, or the run, may end early."""
    jumps = ast.Break | ast.Return | ast.Continue | ast.Raise
    return any(isinstance(part, jumps) for statement in iteration.owner.body for part in ast.walk(statement))


def _order(iteration: Iteration) -> tuple[Event, ...] | None:
    """Give the events of one optimizer step, repeated ones once; None when their order is no plain one."""
    order: list[Event] = []
    step = iteration.of(Event.STEP)[0]
    allowed = texts(step.around)
    for one in iteration.happenings:
        if one.event is not Event.ALLOCATE and not texts(one.around) <= allowed:
            return None
        if one.event is Event.STEP and one.around.loops != step.around.loops:
            return None
        if not order or order[-1] is not one.event:
            order.append(one.event)
    plain = all(order.count(event) <= 1 for event in (Event.STEP, Event.ALLOCATE, Event.BACKWARD))
    return tuple(order) if plain else None


def _steps(iteration: Iteration, flow: Flow) -> int | None:
    """Count the rounds of the whole run, where every loop tells how many it makes."""
    owner = iteration.owner
    total = rounds(owner, flow)
    for loop in loops_around(owner, flow.map):
        more = rounds(loop, flow)
        total = None if total is None or more is None else total * more
    return total
