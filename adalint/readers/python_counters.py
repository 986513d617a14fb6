"""With which numbers a training loop calls the allocator."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from adalint.readers.python_iterations import ALLOCATE
from adalint.readers.python_moments import is_in_test, seen_from
from adalint.readers.python_scopes import FUNCTIONS, dotted
from adalint.readers.python_shapes import given_argument, last_name
from adalint.training import Counting
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_flow import Flow
    from adalint.readers.python_iterations import Happening, Iteration, Repeated, Surroundings
    from adalint.readers.python_scopes import FileMap

_WRAPPERS: Final = frozenset({"tqdm", "track", "list", "iter", "auto", "progress_bar", "trange", "notebook_tqdm"})
"""Functions that give back what they are given, one by one."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a counter counts: it is `start` at the first call, where the text tells."""

    counting: Counting
    start: int | None = None


UNCOUNTED: Final = Counted(Counting.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else tells how often a counter is raised: the optimizer's step, and whether a round may go without it."""

    step: Happening
    accumulates: bool


def counted(call: Happening, iteration: Iteration, circumstances: Circumstances, flow: Flow) -> Counted:
    """Tell what the argument of an allocator call counts."""
    argument = argument_of(call)
    if argument is None:
        return UNCOUNTED
    argument = through_helpers(argument, call, flow)
    return _of(argument, call, iteration, circumstances, flow)


def counters_in(iteration: Iteration) -> list[ast.expr]:
    """List the variables that an iteration counts with: the index of its loop, and what it raises."""
    found: list[ast.expr] = []
    if isinstance(iteration.owner, ast.For | ast.AsyncFor):
        found += [part for part in ast.walk(iteration.owner.target) if isinstance(part, ast.Name)]
    for count in iteration.counts:
        if isinstance(count.node, ast.AugAssign):
            found.append(count.node.target)
    return found


def counted_by(
    counter: ast.expr, at: Happening, iteration: Iteration, circumstances: Circumstances, flow: Flow
) -> Counted:
    """Tell what a variable counts at the place of a happening."""
    return _of(counter, at, iteration, circumstances, flow)


def argument_of(call: Happening) -> ast.expr | None:
    """Find what `update_and_allocate` is given."""
    if not isinstance(call.node, ast.Call):
        return None
    if len(call.node.args) == 1 and not call.node.keywords:
        return call.node.args[0]
    named = [one.value for one in call.node.keywords if one.arg == "global_step"]
    return named[0] if named and not call.node.args else None


def through_helpers(argument: ast.expr, call: Happening, flow: Flow) -> ast.expr:
    """Follow a parameter of a helper to what the loop gives it."""
    for caller in reversed(call.around.inlined):
        function = flow.map.function_called(caller)
        if not isinstance(argument, ast.Name) or function is None:
            break
        given = given_argument(function, caller, argument.id, bound=flow.map.is_method(function))
        if given is None:
            break
        argument = given
    return argument


def _of(argument: ast.expr, call: Happening, iteration: Iteration, circumstances: Circumstances, flow: Flow) -> Counted:
    match argument:
        case ast.BinOp(left=inner, op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int(by))):
            base = _of(inner, call, iteration, circumstances, flow)
            shift = by if isinstance(op, ast.Add) else -by
            return Counted(base.counting, None if base.start is None else base.start + shift)
        case ast.BinOp(left=ast.Constant(value=int(by)), op=ast.Add(), right=inner):
            base = _of(inner, call, iteration, circumstances, flow)
            return Counted(base.counting, None if base.start is None else base.start + by)
        case ast.BinOp(left=ast.BinOp(op=ast.Mult()) as product, op=ast.Add(), right=ast.Name() as index):
            return _over_epochs(product, index, iteration, circumstances, flow)
        case ast.BinOp(left=inner, op=ast.FloorDiv()) if circumstances.accumulates:
            base = _of(inner, call, iteration, circumstances, flow)
            return Counted(Counting.STEPS) if base.counting is Counting.MICRO_BATCHES else UNCOUNTED
        case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]):
            return _of(inner, call, iteration, circumstances, flow)
        case ast.Name() | ast.Constant() if (number := _constant(argument, iteration, flow)) is not None:
            return Counted(Counting.NOTHING, number)
        case ast.Name():
            return _of_name(argument, call, iteration, circumstances, flow)
        case ast.Attribute():
            return _of_raised(dotted(argument), argument, call, iteration, circumstances, flow)
    return UNCOUNTED


def _over_epochs(
    product: ast.BinOp, index: ast.Name, iteration: Iteration, circumstances: Circumstances, flow: Flow
) -> Counted:
    """Read `epoch * len(loader) + step`."""
    found = index_of(iteration.owner, flow)
    around = [index_of(loop, flow) for loop in loops_around(iteration.owner, flow.map)]
    names = {one.name for one in around if one is not None}
    factors = {part.id for part in ast.walk(product) if isinstance(part, ast.Name)}
    if found is None or found.name != index.id or found.stride != 1 or not factors & names:
        return UNCOUNTED
    counting = Counting.MICRO_BATCHES if circumstances.accumulates else Counting.STEPS
    starts = [one.start for one in around if one is not None and one.name in factors]
    return Counted(counting, found.start if starts == [0] else None)


def _of_name(
    name: ast.Name, call: Happening, iteration: Iteration, circumstances: Circumstances, flow: Flow
) -> Counted:
    found = index_of(iteration.owner, flow)
    if found is None or found.name != name.id:
        return _of_raised(name.id, name, call, iteration, circumstances, flow)
    is_conditional = bool(circumstances.step.around.tests) and not circumstances.accumulates
    if found.stride != 1 or is_conditional or any(count.name == name.id for count in iteration.counts):
        return UNCOUNTED
    around = repeats(iteration.owner, flow)
    if around is Around.UNKNOWN:
        return UNCOUNTED
    if around is Around.REPEATED and not _builds_anew(call, iteration, flow):
        return Counted(Counting.EPOCH, found.start)
    return Counted(Counting.MICRO_BATCHES if circumstances.accumulates else Counting.STEPS, found.start)


def _of_raised(
    name: str, node: ast.expr, call: Happening, iteration: Iteration, circumstances: Circumstances, flow: Flow
) -> Counted:
    """Read a counter that each iteration raises by one."""
    raised = [count for count in iteration.counts if count.name == name]
    if len(raised) != 1 or raised[0].by != 1:
        return UNCOUNTED
    [count] = raised
    start, restarts = _start(name, node, iteration, flow)
    if restarts and not _builds_anew(call, iteration, flow):
        return Counted(Counting.EPOCH, start)
    if start is not None and count.after <= iteration.happenings.index(call):
        start += 1
    if count.around.loops != circumstances.step.around.loops:  # raised more, or less, often than the optimizer steps
        return UNCOUNTED
    step = circumstances.step.around
    asked = {text for text, _ in texts(count.around)}
    if step.accumulating is not None and asked and all("sync_gradients" in text for text in asked):
        return Counted(Counting.STEPS, start)
    is_with_steps = step.accumulating is None or count.around.hooked is not None
    if is_with_steps and texts(count.around) == texts(step):
        return Counted(Counting.STEPS, start)
    if asked:
        return UNCOUNTED
    return Counted(Counting.MICRO_BATCHES if circumstances.accumulates else Counting.STEPS, start)


def _constant(argument: ast.Name | ast.Constant, iteration: Iteration, flow: Flow) -> int | None:
    """Give the number of a name that nothing in the file ever changes, where a loop asks for it again and again."""
    if isinstance(iteration.owner, FUNCTIONS) or rounds(iteration.owner, flow) == 1:
        return None
    if len(flow.map.attributes_named(ALLOCATE)) > 1:
        return None  # another loop may have pruned before, and this one keep the masks
    if is_in_test(iteration.owner, flow.map) or any(
        iteration.owner in flow.map.parents(wrap) for wrap in flow.map.wraps
    ):
        return None
    worth: ast.expr | None = argument
    if isinstance(argument, ast.Name):
        binding = flow.map.the_binding(argument.id, argument)
        worth = binding.value if binding is not None and isinstance(binding.node, ast.Assign | ast.AnnAssign) else None
        names = (part.names for part in flow.map.nodes() if isinstance(part, ast.Global | ast.Nonlocal))
        if any(argument.id in declared for declared in names) or flow.map.rewrites_names:
            return None
    return worth.value if isinstance(worth, ast.Constant) and type(worth.value) is int else None


def texts(around: Surroundings) -> frozenset[tuple[str, bool]]:
    """Write the conditions around something, so that equal ones are equal."""
    return frozenset((ast.unparse(test.node), test.holds) for test in around.tests)


def _start(name: str, node: ast.expr, iteration: Iteration, flow: Flow) -> tuple[int | None, bool]:
    """Find the number that a counter starts with, and whether it starts anew in each round of an outer loop."""
    if isinstance(node, ast.Name):
        values = [(one.node, one.value) for one in flow.map.bindings(name, node) if one.value is not None]
    else:
        stores = [flow.map.parent(one) for one in flow.map.attribute_stores(name.rpartition(".")[2])]
        values = [(one, one.value) for one in stores if isinstance(one, ast.Assign)]
    values = [(one, value) for one, value in values if not isinstance(value, ast.BinOp)]
    around = set(loops_around(iteration.owner, flow.map))
    restarts = any(
        around & set(flow.map.parents(one)) and iteration.owner not in flow.map.parents(one) for one, _ in values
    ) and not all(_is_once(loop, flow) for loop in around)
    if len(values) != 1:
        return None, restarts
    worth = flow.value(values[0][1])
    is_number = isinstance(worth, Literal) and isinstance(worth.value, int) and not isinstance(worth.value, bool)
    return (worth.value if is_number and isinstance(worth, Literal) else None), restarts


# ── loops ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Index:
    """The number that a loop counts its rounds with, and by how much it grows with each."""

    name: str
    start: int | None
    stride: int | None = 1


def index_of(loop: ast.AST, flow: Flow) -> Index | None:
    """Find the index of a loop: of `enumerate(…)`, `range(…)`, `zip(range(…), …)`, progress bars around them."""
    if not isinstance(loop, ast.For | ast.AsyncFor):
        return None
    return _index(loop.target, unwrapped(loop.iter, flow), flow)


def _index(target: ast.expr, iterated: ast.expr, flow: Flow) -> Index | None:
    match target, iterated:
        case ast.Tuple(elts=[ast.Name(id=name), *_]), ast.Call(func=ast.Name(id="enumerate"), args=args) as call:
            starts = [*args[1:], *(one.value for one in call.keywords if one.arg == "start")]
            return Index(name, _number(starts[0], flow) if starts else 0)
        case ast.Name(id=name), ast.Call(func=ast.Name(id="range" | "trange"), args=args) if args:
            stride = _number(args[2], flow) if len(args) > 2 else 1
            return Index(name, _number(args[0], flow) if len(args) > 1 else 0, stride)
        case ast.Name(id=name), ast.Call(func=ast.Attribute(attr="count"), args=args):
            return Index(name, _number(args[0], flow) if args else 0)
        case ast.Tuple(elts=parts), ast.Call(func=ast.Name(id="zip"), args=args):
            pairs = zip(parts, args, strict=False)
            found = (_index(part, unwrapped(one, flow), flow) for part, one in pairs if isinstance(part, ast.Name))
            return next((one for one in found if one is not None), None)
    return None


def unwrapped(iterated: ast.expr, flow: Flow) -> ast.expr:
    """Take progress bars and the like off what a loop goes through."""
    for _ in range(4):
        match iterated:
            case ast.Call(func=func, args=[inner, *_]) if last_name(func) in _WRAPPERS - {"trange"}:
                iterated = inner
            case ast.Name():
                made = flow.target(iterated)
                if not (isinstance(made, ast.Call) and last_name(made.func) in {*_WRAPPERS, "enumerate"}):
                    return iterated
                iterated = made
            case ast.Call(func=ast.Attribute(attr="trange")):
                return ast.copy_location(ast.Call(ast.Name("range", ast.Load()), iterated.args, []), iterated)
            case _:
                return iterated
    return iterated


def _number(node: ast.expr, flow: Flow) -> int | None:
    worth = flow.value(node)
    if isinstance(worth, Literal) and isinstance(worth.value, int) and not isinstance(worth.value, bool):
        return worth.value
    return None


def rounds(loop: ast.AST, flow: Flow) -> int | None:
    """Tell how many times a loop goes round, where the text does."""
    return _rounds(unwrapped(loop.iter, flow), flow) if isinstance(loop, ast.For | ast.AsyncFor) else None


def _rounds(iterated: ast.expr, flow: Flow) -> int | None:
    match iterated:
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]):
            return _rounds(unwrapped(inner, flow), flow)
        case ast.Call(func=ast.Name(id="range"), args=[stop]):
            return _number(stop, flow)
        case ast.Call(func=ast.Name(id="range"), args=[start, stop]):
            first, last = _number(start, flow), _number(stop, flow)
            return None if first is None or last is None else max(0, last - first)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return None if any(isinstance(one, ast.Starred) for one in items) else len(items)
        case ast.BinOp(left=ast.List(elts=items), op=ast.Mult(), right=times):
            number = _number(times, flow)
            return None if number is None else len(items) * number
        case ast.ListComp(generators=[ast.comprehension(iter=inner, ifs=[])]):
            return _rounds(unwrapped(inner, flow), flow)
        case ast.Name():
            made = flow.target(iterated)
            return None if made is None or isinstance(made, ast.Name) else _rounds(made, flow)
    return None


def _is_once(loop: ast.AST, flow: Flow) -> bool:
    return rounds(loop, flow) == 1


class Around(Enum):
    """Whether the loop that holds an iteration is itself run again and again."""

    ONCE = auto()
    REPEATED = auto()
    UNKNOWN = auto()


def repeats(owner: Repeated, flow: Flow) -> Around:
    """Tell whether a loop is started more than once in a run: in another one, or in a function called in one."""
    around = list(loops_around(owner, flow.map))
    if around:
        return Around.ONCE if all(_is_once(loop, flow) for loop in around) else Around.REPEATED
    frame = flow.map.frame_of(owner)
    if isinstance(frame, FUNCTIONS) and not flow.map.callers_of(frame) and "epoch" in frame.name:
        return Around.UNKNOWN
    return Around.ONCE


def loops_around(owner: ast.AST, file_map: FileMap, depth: int = 0) -> Iterator[ast.For | ast.AsyncFor | ast.While]:
    """Give the loops in which another one stands, those around the only call of its function included."""
    for parent in file_map.parents(owner):
        if isinstance(parent, ast.For | ast.AsyncFor | ast.While):
            yield parent
        if isinstance(parent, FUNCTIONS):
            callers = file_map.callers_of(parent)
            if len(callers) == 1 and depth < 3:
                yield from loops_around(callers[0], file_map, depth + 1)
            return


def _builds_anew(call: Happening, iteration: Iteration, flow: Flow) -> bool:
    """Tell whether each round of a loop around the iteration has a model of its own."""
    node = call.node.func if isinstance(call.node, ast.Call) else call.node
    while isinstance(node, ast.Attribute):
        node = node.value
    loops = list(loops_around(iteration.owner, flow.map))
    for loop in loops:
        places = (seen_from(wrap, flow.map.frame_of(loop), flow.map) for wrap in flow.map.wraps)
        if any(place is not None and loop in flow.map.parents(place) for place in places):
            return True
    if not isinstance(node, ast.Name):
        return False
    bound = [one.node for one in flow.map.bindings(node.id, node)]
    return any(set(loops) & set(flow.map.parents(one)) for one in bound if not isinstance(one, ast.arg))
