"""The events of one iteration of a training loop, in the order in which they happen.

Helpers of the same file are followed where they are called. What cannot be followed makes the iteration *opaque*: then
nothing is said of its order.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from adalint.plan import Event
from adalint.readers.python_bindings import children_of
from adalint.readers.python_scopes import FUNCTIONS, FunctionNode, dotted
from adalint.readers.python_shapes import ends, last_name
from adalint.readers.python_step_hooks import StepHook, StepHooks, optimizer_of
from adalint.readers.python_things import Thing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adalint.readers.python_things import Things

ALLOCATE: Final = "update_and_allocate"
MAX_INLINED: Final = 3
"""Helpers that call helpers: so deep is followed."""

BROAD: Final = frozenset({"Exception", "BaseException", "TypeError", "AttributeError"})
"""Exceptions of which one is raised by most mistakes around the allocator."""

_TELLING: Final = re.compile(
    r"(?i)step|train|update|backward|optim|alloc|zero|grad|fit$|^run|callback|hook|loop|iter|_fn$"
)
"""Names of callables that may take part in training; whatever else is called only looks on."""

_ONLOOKERS: Final = re.compile(
    r"(?i)^(eval|valid|test|log|save|print|get_|compute|count|format|should_|is_|clip|report)"
)

_WITH_GRADIENTS: Final = frozenset({"on_optimizer_step", "on_pre_optimizer_step", "on_before_optimizer_step"})
"""Hooks that come while the gradients are there."""

LIBRARIES: Final = frozenset(
    {"torch", "transformers", "accelerate", "peft", "datasets", "evaluate", "tqdm", "numpy", "wandb", "bitsandbytes"}
    | {"trl", "diffusers", "sentence_transformers", "timm", "torchvision", "torchmetrics", "sklearn", "apex", "math"}
    | {"os", "sys", "time", "json", "logging", "random", "pathlib", "functools", "itertools", "contextlib", "mlflow"}
    | {"lightning", "pytorch_lightning", "tensorboardX", "rich", "gc", "pandas", "nltk", "lion_pytorch", "copy"}
)
"""Packages that never call the allocator of a model that they are handed."""


Repeated: TypeAlias = ast.For | ast.AsyncFor | ast.While | ast.FunctionDef | ast.AsyncFunctionDef
"""What has a body that is run again and again."""


@dataclass(frozen=True, slots=True)
class Test:
    """A condition that must hold (or must not) for something to happen; of an `and`, one operand."""

    node: ast.expr
    holds: bool
    statement: ast.stmt


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a statement within the iteration."""

    tests: tuple[Test, ...] = ()
    loops: tuple[ast.stmt, ...] = ()
    accumulating: ast.Call | None = None
    swallowed: tuple[str, ast.AST] | None = None
    inlined: tuple[ast.Call, ...] = ()
    hooked: StepHook | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, where it stands."""

    event: Event
    node: ast.expr | ast.stmt
    statement: ast.stmt
    around: Surroundings


@dataclass(frozen=True, slots=True)
class Count:
    """A counter that the iteration raises: its dotted name, by how much, after how many happenings, under what."""

    name: str
    by: int
    after: int
    node: ast.stmt
    around: Surroundings


@dataclass(slots=True)
class Iteration:
    """What happens in one round of a loop, or in one call of a function."""

    owner: Repeated
    happenings: list[Happening] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    called: list[ast.expr] = field(default_factory=list)
    """What is called in it besides."""
    opaque: bool = False
    """Something in it may do what cannot be seen."""

    def of(self, event: Event) -> list[Happening]:
        """List the happenings of one kind."""
        return [one for one in self.happenings if one.event is event]


class Walker:
    """Walks through blocks of statements and notes what happens to the gradients and to the model."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self.map = things.map
        self.hooks = StepHooks(things)
        self._eventful: dict[FunctionNode, bool] = {}
        self._ordered: dict[ast.AST, list[ast.Call]] = {}

    def iteration(self, owner: Repeated) -> Iteration:
        """Walk through one round of a loop, or one call of a function."""
        iteration = Iteration(owner)
        self._block(owner.body, Surroundings(), iteration)
        return iteration

    def passing(self, owner: Repeated, statements: Sequence[ast.stmt]) -> Iteration:
        """Walk through statements that follow a loop."""
        iteration = Iteration(owner)
        self._block(statements, Surroundings(), iteration)
        return iteration

    def _block(self, statements: Sequence[ast.stmt], around: Surroundings, into: Iteration) -> None:
        for statement in statements:
            self._statement(statement, around, into)
            left = _skipping(statement)
            if left is not None:
                around = replace(around, tests=(*around.tests, *_operands(left.test, statement, holds=False)))

    def _statement(self, statement: ast.stmt, around: Surroundings, into: Iteration) -> None:
        match statement:
            case ast.If(test=test, body=body, orelse=orelse):
                self._expression(test, statement, around, into)
                tests = tuple(_operands(test, statement, holds=True))
                self._block(body, replace(around, tests=(*around.tests, *tests)), into)
                if orelse:
                    against = (*around.tests, *_operands(test, statement, holds=False))
                    self._block(orelse, replace(around, tests=against), into)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                self._block(body, self._within(items, around), into)
            case ast.For(iter=iterated, body=body) | ast.AsyncFor(iter=iterated, body=body):
                self._expression(iterated, statement, around, into)
                if not self._clears(statement, around, into):
                    self._block(body, replace(around, loops=(*around.loops, statement)), into)
            case ast.While(body=body):
                self._block(body, replace(around, loops=(*around.loops, statement)), into)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                caught = next((name for handler in handlers if (name := _swallows(handler))), None)
                inner = around if caught is None else replace(around, swallowed=(caught, statement))
                self._block(body, inner, into)
                self._block([*orelse, *final], around, into)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass
            case ast.Match():
                into.opaque = into.opaque or any(self._is_eventful_node(part) for part in ast.walk(statement))
            case ast.AugAssign(target=target, op=ast.Add(), value=ast.Constant(value=int(by))) if dotted(target):
                into.counts.append(Count(dotted(target), by, len(into.happenings), statement, around))
            case ast.Assign(
                targets=[target],
                value=ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=int(by))),
            ) if dotted(target) and dotted(target) == dotted(left):
                into.counts.append(Count(dotted(target), by, len(into.happenings), statement, around))
            case ast.Assign(targets=[ast.Attribute(attr="grad")], value=value):
                self._expression(value, statement, around, into)
                self._fills(value, statement, around, into)
            case _:
                self._expression(statement, statement, around, into)

    def _within(self, items: list[ast.withitem], around: Surroundings) -> Surroundings:
        for item in items:
            match item.context_expr:
                case ast.Call(func=ast.Attribute(attr="accumulate")) as call:
                    around = replace(around, accumulating=call)
                case ast.Call(func=func, args=args) as call if last_name(func) == "suppress":
                    name = next((last_name(arg) for arg in args if last_name(arg) in BROAD), None)
                    around = around if name is None else replace(around, swallowed=(name, call))
        return around

    def _clears(self, loop: ast.For | ast.AsyncFor, around: Surroundings, into: Iteration) -> bool:
        """Read `for p in model.parameters(): p.grad = None`, or `.zero_()`, as clearing or filling all gradients."""
        if not isinstance(loop.target, ast.Name | ast.Tuple):
            return False
        if "parameters" not in ast.unparse(loop.iter) and "params" not in ast.unparse(loop.iter):
            return False
        for part in ast.walk(loop):
            match part:
                case ast.Assign(targets=[ast.Attribute(attr="grad")], value=value) as statement:
                    if _only_missing(loop) and _has_gradients(into):
                        return True  # the gradients are there; what is filled are those of unused weights
                    return self._fills(value, statement, around, into)
                case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="grad"), attr="zero_" | "fill_")) as call:
                    into.happenings.append(Happening(Event.ZERO_FILL, call, loop, around))
                    return True
        return False

    def _fills(self, value: ast.expr, statement: ast.stmt, around: Surroundings, into: Iteration) -> bool:
        """Read `p.grad = None` and `p.grad = torch.zeros_like(p)`."""
        match value:
            case ast.Constant(value=None):
                event = Event.ZERO_GRAD
            case ast.Call(func=func) if last_name(func) in {"zeros_like", "zeros", "new_zeros"}:
                event = Event.ZERO_FILL
            case _:
                return False
        into.happenings.append(Happening(event, statement, statement, around))
        return True

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _expression(self, node: ast.AST, statement: ast.stmt, around: Surroundings, into: Iteration) -> None:
        """Note the calls in an expression: those inside others, and those to their left, come first."""
        if node not in self._ordered:
            self._ordered[node] = _calls_in_order(node)
        for call in self._ordered[node]:
            self._call(call, statement, around, into)

    def _call(self, call: ast.Call, statement: ast.stmt, around: Surroundings, into: Iteration) -> None:
        event = self.event_of(call)
        if event is not None:
            if event is Event.STEP:
                self._run_hooks(call, statement, around, into, before=True)
                self._closure(call, around, into)
            into.happenings.append(Happening(event, call, statement, around))
            if event is Event.STEP:
                self._run_hooks(call, statement, around, into, before=False)
            return
        into.called.append(call.func)
        function = self.map.function_called(call)
        if function is not None:
            self._inline(function, call, around, into)
        elif self._may_take_part(call):
            into.opaque = True

    def _closure(self, call: ast.Call, around: Surroundings, into: Iteration) -> None:
        """Follow `optimizer.step(closure)`: the closure runs first."""
        for given in call.args:
            if isinstance(given, ast.Name):
                binding = self.map.the_binding(given.id, given)
                if binding is not None and isinstance(binding.node, FUNCTIONS):
                    self._block(binding.node.body, replace(around, inlined=(*around.inlined, call)), into)

    def _run_hooks(
        self, step: ast.Call, statement: ast.stmt, around: Surroundings, into: Iteration, *, before: bool
    ) -> None:
        """Follow what is registered to run with the optimizer's steps."""
        optimizer = optimizer_of(step)
        for hook in self.hooks.registered:
            runs = False if optimizer is None or hook.is_before is not before else self.hooks.is_of(hook, optimizer)
            if runs is False:
                continue
            inside = replace(around, inlined=(*around.inlined, hook.call), hooked=hook)
            match hook.function:
                case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body) if runs is True:
                    self._block(body, inside, into)
                case ast.Lambda(body=body) if runs is True:
                    self._expression(body, statement, inside, into)
                case _:
                    into.opaque = True

    def _inline(self, function: FunctionNode, call: ast.Call, around: Surroundings, into: Iteration) -> None:
        if isinstance(function, ast.Lambda) or not self._is_eventful(function):
            return
        inside = [self.map.function_called(one) for one in around.inlined]
        if function in inside or len(inside) >= MAX_INLINED or _yields(function):
            into.opaque = True
            return
        self._block(function.body, replace(around, inlined=(*around.inlined, call)), into)

    def _is_eventful(self, function: FunctionNode) -> bool:
        """Tell whether a function, or one that it calls, does anything to the gradients or the model."""
        if function not in self._eventful:
            self._eventful[function] = False
            self._eventful[function] = any(self._is_eventful_node(part) for part in ast.walk(function))
        return self._eventful[function]

    def _is_eventful_node(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return isinstance(node, ast.Attribute) and node.attr == "grad" and not isinstance(node.ctx, ast.Load)
        if self.event_of(node) is not None:
            return True
        function = self.map.function_called(node)
        return (function is not None and self._is_eventful(function)) or (
            function is None and self._may_take_part(node)
        )

    def event_of(self, call: ast.Call) -> Event | None:
        """Tell which event a call is."""
        if not isinstance(call.func, ast.Attribute):
            return None
        owner, name = call.func.value, call.func.attr
        if name == ALLOCATE:
            return Event.ALLOCATE
        if name in {"backward", "manual_backward"}:
            return Event.BACKWARD
        if name == "zero_grad":
            return self._zero_grad(call)
        if name == "step":
            thing = self.things.of(owner)
            if thing is Thing.SCALER:
                first = call.args[0] if call.args else None
                return Event.STEP if first is not None else None
            return Event.STEP if thing is Thing.OPTIMIZER else None
        return None

    def _zero_grad(self, call: ast.Call) -> Event:
        for given in (*call.args[:1], *(one.value for one in call.keywords if one.arg == "set_to_none")):
            if isinstance(given, ast.Constant) and given.value is False:
                return Event.ZERO_FILL
        return Event.ZERO_GRAD

    def _may_take_part(self, call: ast.Call) -> bool:
        """Tell whether a call of something unseen may be a part of the training."""
        name = last_name(call.func)
        path = self.map.path_of(call.func)
        if path is not None and path.partition(".")[0] in LIBRARIES and not name.endswith("Trainer"):
            return False
        if isinstance(call.func, ast.Attribute):
            return self._method_takes_part(call, call.func)
        if not _TELLING.search(name) or _ONLOOKERS.search(name):
            return False
        bound = isinstance(call.func, ast.Name) and bool(self.map.bindings(call.func.id, call))
        return bound and any(self._is_involved(given) for given in _given(call))

    def _method_takes_part(self, call: ast.Call, func: ast.Attribute) -> bool:
        """Tell of a method that the file does not define whether it may step, or clear gradients."""
        if not _TELLING.search(func.attr):
            return False
        thing = self.things.of(func.value)
        if thing is Thing.ENGINE and func.attr in {"step", "backward", "train_batch"}:
            return True
        if thing in {Thing.OPTIMIZER, Thing.SCALER, Thing.SCHEDULER, Thing.ACCELERATOR}:
            return False
        if dotted(func.value) in {"self", "super"} or isinstance(func.value, ast.Call):
            telling = re.search(
                r"(?i)^(optimizer_step|train_step|training_step|backward|zero_grad|run_step|_step)$", func.attr
            )
            return telling is not None and thing is not Thing.TRAINER
        return (
            bool(_TELLING.search(func.attr))
            and not _ONLOOKERS.search(func.attr)
            and any(self.things.of(given) is Thing.OPTIMIZER for given in _given(call))
        )

    def _is_involved(self, given: ast.expr) -> bool:
        """Tell whether an argument gives the callee the model or the optimizer."""
        if self.things.of(given) in {Thing.OPTIMIZER, Thing.MODEL, Thing.ENGINE, Thing.SCALER}:
            return True
        return bool(re.search(r"(?i)(^|_)(model|net|peft|lora)\w*$", dotted(given).rpartition(".")[2]))


def _given(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (one.value for one in call.keywords)


def _calls_in_order(node: ast.AST) -> list[ast.Call]:
    """Give the calls of an expression as they are evaluated: arguments before the call that takes them."""
    found: list[ast.Call] = []
    # The other way round: a call, then what it takes from the last to the first.
    pending: list[ast.AST] = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, _LATER):
            continue
        if isinstance(one, ast.Call):
            found.append(one)
        pending += children_of(one)
    found.reverse()
    return found


_LATER: Final = (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
"""What stands in them is run another time."""


def _operands(test: ast.expr, statement: ast.stmt, *, holds: bool) -> Iterator[Test]:
    """Split `a and b` into what must hold; `not (a or b)` likewise."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _operands(operand, statement, holds=not holds)
        case ast.BoolOp(op=ast.And(), values=values) if holds:
            for value in values:
                yield from _operands(value, statement, holds=True)
        case ast.BoolOp(op=ast.Or(), values=values) if not holds:
            for value in values:
                yield from _operands(value, statement, holds=False)
        case _:
            yield Test(test, holds, statement)


def _skipping(statement: ast.stmt) -> ast.If | None:
    """Recognise `if …: continue` (or `return`), after which the rest of the block runs only when the test fails."""
    if isinstance(statement, ast.If) and not statement.orelse and ends(statement.body):
        return statement if isinstance(statement.body[-1], ast.Continue | ast.Return) else None
    return None


def _swallows(handler: ast.ExceptHandler) -> str | None:
    """Name the broad exception that a handler catches and drops; None when it raises, stops, or catches others."""
    if any(isinstance(part, ast.Raise) for part in ast.walk(handler)):
        return None
    if ends(handler.body) and not isinstance(handler.body[-1], ast.Continue):
        return None
    match handler.type:
        case None:
            return "everything"
        case ast.Tuple(elts=parts):
            return next((last_name(part) for part in parts if last_name(part) in BROAD), None)
    name = last_name(handler.type)
    return name if name in BROAD else None


def _only_missing(loop: ast.For | ast.AsyncFor) -> bool:
    """Tell whether a loop over parameters sets the gradients of those only that have none."""
    conditions = [(ast.unparse(part.test), part.body[-1]) for part in ast.walk(loop) if isinstance(part, ast.If)]
    return any(
        ".grad is None" in test or (".grad is not None" in test and isinstance(last, ast.Continue))
        for test, last in conditions
    )


def _has_gradients(iteration: Iteration) -> bool:
    """Tell whether gradients are there after what has been read: a backward pass made them and nothing cleared them."""
    order = (Event.BACKWARD, Event.ZERO_GRAD, Event.ZERO_FILL)
    made = [one.event for one in iteration.happenings if one.event in order]
    if made:
        return made[-1] is Event.BACKWARD
    return isinstance(iteration.owner, FUNCTIONS) and getattr(iteration.owner, "name", "") in _WITH_GRADIENTS


def _yields(function: FunctionNode) -> bool:
    return any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(function))
