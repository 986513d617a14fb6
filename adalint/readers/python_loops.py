"""How a Python file trains with its own loops: the order of events, who counts, and what stands around the call."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from adalint.plan import RIGHT_LOOP, UNKNOWN_LOOP, Counter, Event, Guard, Loop
from adalint.readers.python_counters import (
    UNCOUNTED,
    Circumstances,
    argument_of,
    counted,
    index_of,
    loops_around,
    rounds,
    texts,
)
from adalint.readers.python_insertions import insertion
from adalint.readers.python_iterations import ALLOCATE, Happening, Iteration, Test, Walker
from adalint.readers.python_moments import is_in_test
from adalint.readers.python_owners import Owners
from adalint.readers.python_scopes import FUNCTIONS, dotted
from adalint.readers.python_shapes import last_name
from adalint.readers.python_things import Thing, Things
from adalint.readers.python_wrapping import is_loaded
from adalint.source import Span
from adalint.training import AllocatorCall, Counting, GuardKind, GuardPlace, Hook, Insertion, Place, Training, Way
from adalint.values import UNKNOWN, Kleene, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.python_counters import Counted, Index
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FileMap
    from adalint.readers.python_step_hooks import StepHook
    from adalint.training import Use

_FINITE: Final = re.compile(r"get_scale|found_inf|step_was_skipped|isfinite|isnan|isinf|overflow|skipped")
_BOUNDARY: Final = re.compile(r"sync_gradients|accum|is_boundary|boundary")
_TYPES: Final = re.compile(r"^(hasattr|isinstance|callable)\(")


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
    found += [
        Found(_lone_call(call, walker.hooks.around(call), flow, things), wrap_of(model_of(call), things), node=call)
        for call in flow.map.calls()
        if call not in claimed and isinstance(call.func, ast.Attribute) and call.func.attr == ALLOCATE
    ]
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
    accumulates, factor = _accumulation(iteration, step, flow, things)
    here = Training(
        way=Way.MANUAL,
        at=file_map.span(step.node),
        places=() if iteration.opaque else _places(iteration, step, flow, cleared=cleared),
        reached=bool(calls) or (UNKNOWN if iteration.opaque or _may_be_left_out(iteration, file_map) else False),
        accumulates=accumulates,
        accumulation=factor,
        micro_rounds=_is_micro_loop(iteration),
        fp16=_may_overflow(iteration, things),
        anchored=owners is None or owners.keeps_gradients(iteration),
    )
    stepping = iteration if accumulates is False and not iteration.opaque else None
    if not calls:
        wrap = _wrap_in(iteration, things)
        inserted = _insertion(iteration, step, accumulates, wrap, things) if here.anchored else None
        return Found(replace(here, insertion=inserted), wrap, node=step.node, iteration=stepping)
    call = calls[0]
    circumstances = Circumstances(step, accumulates is True and _is_micro_loop(iteration))
    number = counted(call, iteration, circumstances, flow) if accumulates is not UNKNOWN else UNCOUNTED
    per_micro = accumulates is True and _is_per_micro_batch(call, step, iteration)
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
    circumstances = Circumstances(step, accumulates is True and _is_micro_loop(iteration))
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


def model_of(call: ast.AST) -> ast.expr | None:
    """Give the model that the allocator is called on, without `.base_model` or `.module`."""
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return None
    owner = call.func.value
    while isinstance(owner, ast.Attribute) and owner.attr in {"base_model", "module", "_orig_mod"}:
        owner = owner.value
    return owner.args[0] if isinstance(owner, ast.Call) and "unwrap" in last_name(owner.func) and owner.args else owner


def wrap_of(model: ast.expr | None, things: Things) -> ast.Call | None:
    """Find the call of `get_peft_model` that returned a model."""
    made = None if model is None else things.made(model)
    return made if made in things.map.wraps else None


def loaded_to_train(model: ast.expr | None, things: Things) -> Span | None:
    """Find the `from_pretrained(…, is_trainable=True)` that loaded a model."""
    made = None if model is None else things.made(model)
    if made is None or not is_loaded(made, things.map):
        return None
    trainable = next((one.value for one in made.keywords if one.arg == "is_trainable"), None)
    is_trained = isinstance(trainable, ast.Constant) and trainable.value is True
    return things.map.span(made) if is_trained else None


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


def hook_of_step(hook: StepHook, file_map: FileMap) -> Hook:
    """Describe what is registered to run with an optimizer's steps; a finding points at the name of the moment."""
    stop = file_map.span(hook.call.func).stop
    word = Span(stop - len(hook.name), stop)
    return Hook(hook.name, file_map.span(hook.call), word, dotted(hook.optimizer), "torch")


def described_call(
    call: Happening, counting: Counting, guards: Sequence[GuardPlace], flow: Flow, things: Things
) -> AllocatorCall:
    """Describe an allocator call where it stands."""
    argument = argument_of(call)
    owner = model_of(call.node)
    swallowed = call.around.swallowed
    return AllocatorCall(
        span=flow.map.span(call.node),
        hook=None if call.around.hooked is None else hook_of_step(call.around.hooked, flow.map),
        statement=flow.map.span(call.statement),
        owner="" if owner is None else dotted(owner),
        argument=None if argument is None else flow.map.span(argument),
        counting=counting,
        guards=tuple(guards),
        swallowed=None if swallowed is None else swallowed[0],
        swallower=None if swallowed is None else flow.map.span(swallowed[1]),  # type: ignore[arg-type]
        wrapped=_wrapper(call, things),
    )


_SIGN: Final = ALLOCATE.encode()
WRAPPERS: Final = frozenset({"DistributedDataParallel", "DDP", "FullyShardedDataParallel", "FSDP", "DataParallel"})


def _wrapper(call: Happening, things: Things) -> str | None:
    """Name the class that the model is explicitly wrapped in where the allocator is called on it as it is."""
    if not (isinstance(call.node, ast.Call) and isinstance(call.node.func, ast.Attribute)):
        return None
    owner = call.node.func.value
    if isinstance(owner, ast.Attribute) and owner.attr == "base_model":
        owner = owner.value
    made = things.made(owner) if isinstance(owner, ast.Name) else None
    path = None if made is None else things.map.path_of(made.func)
    name = (path or "").rpartition(".")[2]
    return name if path and path.startswith("torch.") and name in WRAPPERS else None


# ── accumulation ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _accumulation(iteration: Iteration, step: Happening, flow: Flow, things: Things) -> tuple[Kleene, int | None]:
    """Tell whether several backward passes make one optimizer step, and how many where that is literal."""
    backward = iteration.of(Event.BACKWARD)[0]
    if step.around.accumulating is not None:
        return _of_accelerator(step.around.accumulating, things, flow)
    inner = [loop for loop in backward.around.loops if loop not in step.around.loops]
    if inner:
        return True, rounds(inner[0], flow)
    only = texts(step.around) - texts(backward.around)
    tests = [test for test in step.around.tests if (ast.unparse(test.node), test.holds) in only]
    if not tests:
        return False, 1
    if all(_FINITE.search(ast.unparse(test.node)) for test in tests):
        return False, 1
    for test in tests:
        every = _every(test.node, flow)
        if every is not None:
            return (False, 1) if every == 1 else (True, every or None)
    return (True, None) if any(_BOUNDARY.search(ast.unparse(test.node)) for test in tests) else (UNKNOWN, None)


def _of_accelerator(context: ast.Call, things: Things, flow: Flow) -> tuple[Kleene, int | None]:
    made = things.made(context.func.value) if isinstance(context.func, ast.Attribute) else None
    if made is None:
        return UNKNOWN, None
    given = [one.value for one in made.keywords if one.arg == "gradient_accumulation_steps"]
    if not given:
        return (UNKNOWN, None) if made.args or any(one.arg is None for one in made.keywords) else (False, 1)
    worth = flow.value(given[0])
    if isinstance(worth, Literal) and isinstance(worth.value, int):
        return worth.value > 1, worth.value
    return UNKNOWN, None


def _every(test: ast.expr, flow: Flow) -> int | None:
    """Read `(i + 1) % n == 0`: n, 0 where it is not literal, None for other tests."""
    for part in ast.walk(test):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mod):
            worth = flow.value(part.right)
            return worth.value if isinstance(worth, Literal) and isinstance(worth.value, int) else 0
    return None


def _is_per_micro_batch(call: Happening, step: Happening, iteration: Iteration) -> bool:
    """Tell whether the allocator is called with each backward pass although the optimizer steps less often."""
    backward = iteration.of(Event.BACKWARD)[0]
    if call.around.hooked is not None:
        return False
    if step.around.accumulating is not None:
        asked = any("sync_gradients" in ast.unparse(test.node) for test in call.around.tests)
        return call.around.accumulating is not None and not asked
    if set(backward.around.loops) - set(step.around.loops):
        return bool(set(call.around.loops) - set(step.around.loops))
    missing = texts(step.around) - texts(call.around)
    same = {ast.unparse(test.node) for test in call.around.tests}
    return bool(missing) and not any(_BOUNDARY.search(text) or "%" in text for text in same)


# ── guards ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def guards_around(call: Happening, step: Happening, iteration: Iteration, flow: Flow) -> list[GuardPlace]:
    """List the conditions around the call that the optimizer's step does not share."""
    shared = texts(step.around)
    return [
        GuardPlace(
            _kind(test, call, iteration, flow),
            flow.map.span(test.node),
            flow.map.span(test.statement),
            _period(test, index_of(iteration.owner, flow), flow),
        )
        for test in call.around.tests
        if (ast.unparse(test.node), test.holds) not in shared
    ]


def _kind(test: Test, call: Happening, iteration: Iteration, flow: Flow) -> GuardKind:
    text = ast.unparse(test.node)
    seen = f"{text} {_explained(test.node, flow)}"
    if _TYPES.search(text):
        return GuardKind.OTHER
    # One of several ways to the call shuts nothing out.
    if "rank_pattern" in text and not isinstance(test.node, ast.BoolOp | ast.IfExp):
        return GuardKind.RANK_PATTERN
    if _FINITE.search(seen):
        return GuardKind.FINITE
    if _BOUNDARY.search(seen):
        return GuardKind.BOUNDARY
    argument = argument_of(call)
    counters = {count.name for count in iteration.counts} | ({dotted(argument)} if argument is not None else set())
    index = index_of(iteration.owner, flow)
    counters |= set() if index is None else {index.name}
    names = {dotted(part) for part in ast.walk(test.node) if isinstance(part, ast.Name | ast.Attribute)}
    return GuardKind.STEP if (counters - {""}) & names else GuardKind.OTHER


def _period(test: Test, index: Index | None, flow: Flow) -> int:
    """Tell how many rounds of a loop `(index + 1) % n == k` lets pass for one in which it holds; 1 for other tests."""
    match test.node, test.holds:
        case (
            ast.Compare(left=ast.BinOp() as rest, ops=[ast.Eq()], comparators=[ast.Constant(value=int())]),
            True,
        ) | (ast.Compare(left=ast.BinOp() as rest, ops=[ast.NotEq()], comparators=[ast.Constant(value=int())]), False):
            pass
        case ast.BinOp() as rest, False:
            pass
        case _:
            return 1
    number = rest.left
    if isinstance(number, ast.BinOp) and isinstance(number.op, ast.Add | ast.Sub):
        number = number.left
    if index is None or index.stride is None or not isinstance(rest.op, ast.Mod) or dotted(number) != index.name:
        return 1
    every = flow.value(rest.right)
    if not isinstance(every, Literal) or type(every.value) is not int or every.value < 1:
        return 1
    return every.value // math.gcd(every.value, index.stride)


def _explained(test: ast.expr, flow: Flow) -> str:
    """Write what the names in a test were assigned, so that `skipped = scaler.get_scale() < scale` is understood."""
    found = []
    for part in ast.walk(test):
        if isinstance(part, ast.Name):
            values = [one.value for one in flow.map.bindings(part.id, part) if one.value is not None]
            found += [ast.unparse(value) for value in values if len(values) <= 3]
    return " ".join(found)


def traced_guard(call: Happening, guards: Sequence[GuardPlace], number: Counted, flow: Flow) -> Guard | None:
    """Give the guard for the trace; None when a condition is none that it knows."""
    guard = Guard()
    for place in guards:
        if place.kind is GuardKind.RANK_PATTERN:
            guard = replace(guard, needs_rank_pattern=True)
        elif place.kind is GuardKind.STEP:
            test = next(one for one in call.around.tests if flow.map.span(one.node) == place.part)
            read = _with_step_guard(guard, test, call, flow)
            if read is None or number.counting is not Counting.STEPS:
                return None
            guard = read
        elif place.kind not in {GuardKind.FINITE, GuardKind.BOUNDARY}:
            return None
    return guard


def _with_step_guard(guard: Guard, test: Test, call: Happening, flow: Flow) -> Guard | None:
    """Add `step % n == k`, `step > n` and the like, where they ask the very number that the call is given."""
    argument = argument_of(call)
    if argument is None or not test.holds:
        return None
    asked = ast.unparse(argument)
    match test.node:
        case ast.Compare(
            left=ast.BinOp(left=left, op=ast.Mod(), right=every), ops=[ast.Eq()], comparators=[remainder]
        ) if ast.unparse(left) == asked:
            numbers = [flow.value(every), flow.value(remainder)]
            if all(isinstance(one, Literal) and type(one.value) is int and one.value >= 0 for one in numbers):
                first, second = (one.value for one in numbers if isinstance(one, Literal))
                return replace(guard, every=first, remainder=second) if first > 0 else None
        case ast.Compare(left=left, ops=[op], comparators=[bound]) if ast.unparse(left) == asked:
            worth = flow.value(bound)
            if not (isinstance(worth, Literal) and type(worth.value) is int):
                return None
            match op:
                case ast.Gt() | ast.GtE():
                    return replace(guard, first=worth.value + isinstance(op, ast.Gt))
                case ast.Lt() | ast.LtE():
                    return replace(guard, last=worth.value - isinstance(op, ast.Lt))
    return None


# ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────────────────


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
    steps = None if steps is None or not _is_micro_loop(iteration) else steps // factor
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


def _is_micro_loop(iteration: Iteration) -> bool:
    """Tell whether a round of the loop is one backward pass, of which only some end in a step."""
    return not iteration.of(Event.BACKWARD)[0].around.loops


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
