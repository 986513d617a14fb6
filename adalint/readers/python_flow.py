"""Following values through one Python file: what a name, an attribute or a dict holds where it is used.

This is reaching definitions over the syntax tree, read backwards from the use: assignments, branches, loops over
literal lists, parameters with known callers, defaults of argparse, dataclasses and classes. Where the program could go
several ways, the world decides. Nothing is guessed: what cannot be followed is a symbol or UNKNOWN.
"""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.python_definitions import (
    MAX_CALLERS,
    Assigned,
    Augmented,
    Definition,
    LoopItem,
    Opaque,
    Parameter,
    node_of,
)
from adalint.readers.python_dicts import Entries, read_mapping
from adalint.readers.python_objects import Attributes, read_attributes
from adalint.readers.python_scopes import FRAMES, FUNCTIONS, FunctionNode, dotted
from adalint.readers.python_shapes import (
    arms_of,
    block_of,
    ends,
    given_argument,
    normal_test,
    only_return,
    parameters,
    part_for,
    path_in,
    test_of,
)
from adalint.readers.python_spaces import searched_argument, suggestion
from adalint.readers.python_sweeps import swept
from adalint.values import BINARY, FUNCTIONS_OF_NUMBERS, UNKNOWN, Expr, Literal, Symbol, operate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from adalint.readers.python_bindings import Binding
    from adalint.readers.python_scopes import FileMap
    from adalint.readers.python_worlds import Result, World
    from adalint.spaces import Space

_FUNCTIONS: Final[Mapping[str, str]] = {
    "math.ceil": "ceil",
    "math.floor": "floor",
    "hyperopt.pyll.scope.int": "int",
    "hyperopt.pyll.base.scope.int": "int",
}
MAX_DEPTH: Final = 40
MAX_STEPS: Final = 10_000
_CONSTANTS: Final[Mapping[str, float]] = {
    f"{module}.{name}": number
    for module in ("math", "numpy")
    for name, number in (("inf", math.inf), ("nan", math.nan))
}


class Flow:
    """Evaluation of one file in one world."""

    def __init__(self, file_map: FileMap, world: World) -> None:
        self.map = file_map
        self.world = world
        self.spaces: dict[Symbol, Space] = {}
        """What a search may choose for the symbols that have been met."""
        self.clashing: set[Symbol] = set()
        """Those of which that cannot be told."""
        self._depth = 0
        self._steps = 0

    # ── scalars ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, node: ast.expr) -> Expr:
        """Tell what an expression is worth where it stands."""
        if not self._goes_on():
            return UNKNOWN
        self._depth += 1
        try:
            return self._value(node)
        finally:
            self._depth -= 1

    def _goes_on(self) -> bool:
        """Count a step of one question, and tell whether it may be taken: `d = {**c, **c}` doubles with each line."""
        self._steps = self._steps + 1 if self._depth else 0
        return self._depth <= MAX_DEPTH and self._steps <= MAX_STEPS

    def mapping(self, node: ast.expr) -> Entries | None:
        """Tell what a dict holds where it is used; None when the expression is no dict that the text tells of."""
        return self._bounded(read_mapping, node, None)

    def attributes(self, node: ast.expr) -> Attributes | None:
        """Tell what is known of an object's attributes; None when the text does not tell what the object is."""
        return self._bounded(read_attributes, node, None)

    def _bounded(self, read: Callable[[Flow, ast.expr], Result], node: ast.expr, otherwise: Result) -> Result:
        if not self._goes_on():
            return otherwise
        self._depth += 1
        try:
            return read(self, node)
        finally:
            self._depth -= 1

    def _value(self, node: ast.expr) -> Expr:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as value):
                return Literal(value)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                items = [self.value(part) for part in parts]
                known = [item.value for item in items if isinstance(item, Literal)]
                return Literal(known) if len(known) == len(parts) else UNKNOWN
            case ast.Dict():
                return self._dict_value(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return operate("neg", self.value(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return operate(BINARY[type(op)], self.value(left), self.value(right))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                arm = self.arm_of(test, (0, 1))
                return UNKNOWN if arm is None else self.value((body, orelse)[arm])
            case ast.BoolOp(op=ast.Or(), values=[first, second]):
                worth = self.value(first)
                if isinstance(worth, Literal):
                    return worth if worth.value else self.value(second)
                return UNKNOWN
            case ast.NamedExpr(value=value):
                return self.value(value)
            case ast.Name():
                return self._name(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node)
        return UNKNOWN

    def _dict_value(self, node: ast.Dict) -> Expr:
        known: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            item = self.value(value)
            if not isinstance(key, ast.Constant) or not isinstance(item, Literal):
                return UNKNOWN
            known[key.value] = item.value
        return Literal(known)

    def _name(self, node: ast.Name) -> Expr:
        found = self.definition(node.id, node)
        if found is None:
            return Symbol(node.id)
        if isinstance(found, Augmented):
            return self._augmented(found.statement)
        target = self.follow(found)
        worth: Expr = UNKNOWN if target is None else self.value(target)
        if isinstance(found, Parameter) and self._is_guarded(node, worth):
            worth = UNKNOWN
        return worth if worth is not UNKNOWN else Symbol(node.id, self.origin(target or node_of(found)))

    def _augmented(self, statement: ast.AugAssign) -> Expr:
        if not self._goes_on():
            return UNKNOWN
        self._depth += 1
        try:
            return self._changed(statement)
        finally:
            self._depth -= 1

    def _changed(self, statement: ast.AugAssign) -> Expr:
        if not isinstance(statement.target, ast.Name) or type(statement.op) not in BINARY:
            return UNKNOWN
        before = self._before(statement.target.id, statement)
        former = self.value(before.value) if isinstance(before, Assigned) else UNKNOWN
        if isinstance(before, Augmented):
            former = self._augmented(before.statement)
        return operate(BINARY[type(statement.op)], former, self.value(statement.value))

    def origin(self, node: ast.AST) -> int:
        """Tell the offset at which a node starts."""
        row, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
        return 0 if row is None or column is None else self.map.source.offset_at(row, column)

    def _attribute(self, node: ast.Attribute) -> Expr:
        path = self.map.path_of(node)
        if path is not None and path.startswith("peft.") and path.split(".")[-2] in {"TaskType", "PeftType"}:
            return Literal(node.attr)
        if path is not None and path in _CONSTANTS:
            return Literal(_CONSTANTS[path])
        chosen = swept(self, node.value, node.attr)
        if chosen is not None:
            return chosen
        target = self.attribute_target(node)
        if target is not None:
            worth = target if isinstance(target, Literal) else self.value(target)
            if worth is not UNKNOWN and not self._is_guarded(node, worth):
                return worth
        owner = self._stable(node.value)
        if owner is None or node.attr in self.map.assigned_attributes:
            return UNKNOWN
        return Symbol(f"{owner.text}.{node.attr}", owner.origin)

    def _is_guarded(self, node: ast.Name | ast.Attribute, worth: Expr) -> bool:
        """Tell whether a test may keep a default from getting here: around the use, or before it with a way out.

        For None any test of it will do: it is there to be replaced.
        """
        tests = self.map.tests_of.get(dotted(node), ())
        if worth == Literal(None):
            return bool(tests)
        around = list(self.map.parents(node))
        return any(
            test in around or isinstance(test, ast.Assert) or (isinstance(test, ast.If) and ends(test.body))
            for test in tests
        )

    def attribute_target(self, node: ast.Attribute) -> ast.expr | Literal | None:
        """Find the expression that an attribute holds: assigned in the file, or a default; None when nothing tells."""
        stores = [store for store in self.map.attribute_stores(node.attr) if store is not node]
        if stores:
            return self._stored(node, stores)
        owner = self.attributes(node.value)
        return None if owner is None else owner.known.get(node.attr)

    def _stored(self, node: ast.Attribute, stores: list[ast.Attribute]) -> ast.expr | None:
        """Follow `x.k = …` when it is the only one of its name, certain to run before, and on the same object."""
        if len(stores) != 1:
            return None
        [store] = stores
        statement = next(self.map.parents(store), None)
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return None
        frame, other = self.map.frame_of(node), self.map.frame_of(store)
        if isinstance(node.value, ast.Name) and node.value.id == "self" and frame is not other:
            same_class = self.map.class_of(frame) is self.map.class_of(other) is not None
            starts = isinstance(other, FUNCTIONS) and other.name in {"__init__", "__post_init__", "setup"}
            straight = self.map.parent(statement) is other
            return statement.value if same_class and starts and straight else None
        if frame is not other or ast.unparse(store) != ast.unparse(node):
            return None
        return statement.value if self._runs_before(statement, node) else None

    def _runs_before(self, statement: ast.stmt, node: ast.AST) -> bool:
        """Tell whether a statement is sure to have run when a node is reached: it stands above, in a block around."""
        block_holder = self.map.parent(statement)
        inside = [node, *self.map.parents(node)]
        return block_holder in inside and self.origin(statement) < self.origin(node)

    def _subscript(self, node: ast.Subscript) -> Expr:
        match node.slice:
            case ast.Constant(value=str(key)):
                chosen = swept(self, node.value, key)
                if chosen is not None:
                    return chosen
                entries = self.mapping(node.value)
                if entries is not None and key in entries.items:
                    return entries.items[key].expr
            case ast.Constant(value=int(index)):
                literal = self._sequence(node.value)
                if literal is not None and -len(literal) <= index < len(literal):
                    return self.value(literal[index])
            case _:
                return UNKNOWN
        owner = self._stable(node.value)
        return Symbol(f"{owner.text}[{node.slice.value!r}]", owner.origin) if owner else UNKNOWN

    def _sequence(self, node: ast.expr) -> list[ast.expr] | None:
        target = self.target(node)
        return list(target.elts) if isinstance(target, ast.List | ast.Tuple) else None

    def _stable(self, node: ast.expr) -> Symbol | None:
        """Write an expression that gives the same object each time, such as `args` or `cfg.adapter`."""
        match node:
            case ast.Name(id=name):
                found = self.definition(name, node)
                return Symbol(name, 0 if found is None else self.origin(node_of(found)))
            case ast.Attribute() | ast.Subscript():
                inner = self.value(node)
                return inner if isinstance(inner, Symbol) else None
        return None

    def _call(self, node: ast.Call) -> Expr:
        path = self.map.path_of(node.func) or ""
        if path.startswith("peft."):
            return Symbol(ast.unparse(node))
        suggested = suggestion(self, node)
        if suggested is not None:
            return suggested
        name = _FUNCTIONS.get(path, "")
        if isinstance(node.func, ast.Name) and not self.map.bindings(node.func.id, node):
            name = node.func.id
        match name, node:
            case "getattr", ast.Call(args=[owner, ast.Constant(value=str(attr)), default], keywords=[]):
                return self._getattr(owner, attr, default)
            case "float", ast.Call(args=[ast.Constant(value=str(text))], keywords=[]):
                return _float(text)
            case "len", ast.Call(args=[inner], keywords=[]):
                stable = self._stable(inner)
                return Symbol(f"len({stable.text})", stable.origin) if stable else UNKNOWN
        if (
            name in FUNCTIONS_OF_NUMBERS
            and not node.keywords
            and (name in {"max", "min"}) == (len(node.args) > 1)
            and node.args
        ):
            return operate(name, *(self.value(arg) for arg in node.args))
        match node.func:
            case ast.Attribute(value=owner, attr="get") if node.args and isinstance(node.args[0], ast.Constant):
                return self._get(owner, node.args)
        returned = self.returned(node)
        return UNKNOWN if returned is None else self.value(returned)

    def _getattr(self, owner: ast.expr, attr: str, default: ast.expr) -> Expr:
        if attr in self.map.assigned_attributes:
            return UNKNOWN
        known = self.attributes(owner)
        target = default if known is None else known.known.get(attr, default)
        return target if isinstance(target, Literal) else self.value(target)

    def _get(self, owner: ast.expr, args: list[ast.expr]) -> Expr:
        key = args[0].value if isinstance(args[0], ast.Constant) else None
        chosen = swept(self, owner, str(key))
        if chosen is not None:
            return chosen
        entries = self.mapping(owner)
        if entries is None or key is None:
            return UNKNOWN
        item = entries.items.get(str(key))
        if item is not None:
            return item.expr
        if entries.open:
            return UNKNOWN
        return self.value(args[1]) if len(args) > 1 else Literal(None)

    # ── definitions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def definition(self, name: str, at: ast.AST) -> Definition | None:
        """Find what a name holds where a node stands; None when the file does not bind it."""
        owner, bindings = self.map.owner_of(name, at)
        if owner is None:
            return None
        if isinstance(owner.node, ast.Module) and self._is_rewritten(bindings):
            return Opaque(bindings[0].node)
        walrus = [binding for binding in bindings if isinstance(binding.node, ast.NamedExpr)]
        if walrus:
            return Assigned(walrus[0].value) if len(bindings) == 1 and walrus[0].value else Opaque(walrus[0].node)
        if any(self.map.frame_of(binding.node) is not self.map.frame_of_scope(owner) for binding in bindings):
            return Opaque(bindings[0].node)
        if self.map.frame_of_scope(owner) is self.map.frame_of(at):
            return self._before(name, at) or Opaque(bindings[0].node)
        return self._from_outside(name, bindings)

    def _is_rewritten(self, bindings: list[Binding]) -> bool:
        """Tell whether a module's name may be bound unseen: by `exec`, `globals()`, or a star import after it."""
        if self.map.rewrites_names:
            return True
        stars = [self.origin(star) for star in self.map.star_imports if star.module != "peft"]
        assigned = [binding for binding in bindings if binding.path is None]
        return bool(assigned) and any(star > self.origin(binding.node) for star in stars for binding in assigned)

    def _from_outside(self, name: str, bindings: list[Binding]) -> Definition:
        """Read a name of an outer scope from within a function: as it is when that scope has run through."""
        if len(bindings) == 1:
            return self._of_binding(name, bindings[0])
        branch = {self._outermost_branch(binding.node) for binding in bindings}
        if len(branch) == 1 and None not in branch:
            found = self._effect(name, next(iter(branch)))  # type: ignore[arg-type]
            if found is not None:
                return found
        return Opaque(bindings[0].node)

    def _outermost_branch(self, node: ast.AST) -> ast.stmt | None:
        branch = None
        for parent in self.map.parents(node):
            if isinstance(parent, (*FRAMES, ast.ClassDef)):
                break
            if isinstance(parent, ast.For | ast.AsyncFor | ast.While | ast.Try):
                return None
            if isinstance(parent, ast.If | ast.Match):
                branch = parent
        return branch

    def _of_binding(self, name: str, binding: Binding) -> Definition:
        if binding.value is not None:
            return Assigned(binding.value)
        match binding.node:
            case ast.Assign(targets=targets, value=value):
                parts = [part for target in targets if (part := self._unpacked(target, value, name)) is not None]
                return Assigned(parts[0]) if parts else Opaque(binding.node)
            case ast.For() | ast.AsyncFor() | ast.comprehension() as loop:
                path = path_in(loop.target, name)
                return LoopItem(loop, path) if path is not None else Opaque(loop)
            case ast.arg():
                function = next(parent for parent in self.map.parents(binding.node) if isinstance(parent, FunctionNode))
                return Parameter(function, name)
        return Opaque(binding.node)

    def _before(self, name: str, node: ast.AST) -> Definition | None:
        """Walk back from a node to the nearest definition in the same frame."""
        child = node
        for parent in self.map.parents(node):
            block = block_of(parent, child)
            if block is not None:
                found = self._scan(name, block[: block.index(child)])  # type: ignore[arg-type]
                if found is not None:
                    return found
            found = self._on_the_way(name, parent, child)
            if found is not None:
                return found
            if isinstance(parent, FRAMES):
                if isinstance(parent, FunctionNode) and name in parameters(parent):
                    return Parameter(parent, name)
                return None
            child = parent
        return None

    def _on_the_way(self, name: str, parent: ast.AST, child: ast.AST) -> Definition | None:
        """Tell what a statement around the use does to a name: loops go round, handlers come from anywhere in `try`."""
        match parent:
            case ast.For() | ast.AsyncFor() if child in parent.body:
                path = path_in(parent.target, name)
                if path is not None:
                    return LoopItem(parent, path)
                return Opaque(parent) if self.map.binds(name, parent) else None
            case ast.While() if self.map.binds(name, parent):
                return Opaque(parent)
            case ast.Try(body=body) if child not in body and any(self.map.binds(name, one) for one in body):
                return Opaque(parent)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                for generator in parent.generators:
                    path = path_in(generator.target, name)
                    if path is not None:
                        return LoopItem(generator, path)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                if any(item.optional_vars and path_in(item.optional_vars, name) is not None for item in items):
                    return Opaque(parent)
            case ast.ExceptHandler(name=bound) if bound == name:
                return Opaque(parent)
            case ast.match_case(pattern=pattern) if self.map.binds(name, pattern):
                return Opaque(parent)
        return None

    def _scan(self, name: str, statements: Sequence[ast.stmt]) -> Definition | None:
        for statement in reversed(statements):
            if self.map.binds(name, statement):
                found = self._effect(name, statement)
                if found is not None:
                    return found
        return None

    def _effect(self, name: str, statement: ast.stmt) -> Definition | None:
        """Tell what a statement that binds a name leaves in it; None when, in this world, it leaves it alone."""
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    found = self._unpacked(target, value, name)
                    if found is not None:
                        return Assigned(found)
                return Opaque(statement)
            case ast.AnnAssign(value=value):
                return None if value is None else Assigned(value)
            case ast.AugAssign():
                return Augmented(statement)
            case ast.Match(cases=cases) if any(self.map.binds(name, case.pattern) for case in cases):
                return Opaque(statement)
            case ast.If() | ast.Match():
                arms = arms_of(statement)
                alive = tuple(index for index, arm in enumerate(arms) if not ends(arm))
                arm = self.arm_of(test_of(statement), alive) if alive else None
                return Opaque(statement) if arm is None else self._scan(name, arms[arm])
            case ast.With(body=body) | ast.AsyncWith(body=body):
                return self._scan(name, body) or Opaque(statement)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                if all(ends(handler.body) for handler in handlers):
                    return self._scan(name, [*body, *orelse, *final]) or Opaque(statement)
        return Opaque(statement)

    def _unpacked(self, target: ast.expr, value: ast.expr, name: str) -> ast.expr | None:
        """Find the part of an assigned value that goes to a name, in a tuple that stands elsewhere too."""
        found = part_for(target, value, name)
        if found is None and path_in(target, name):
            literal = self.target(value)
            found = part_for(target, literal, name) if isinstance(literal, ast.Tuple | ast.List) else None
        return found

    def arm_of(self, test: ast.expr, options: Sequence[int]) -> int | None:
        """Choose an arm of a test: 0 is true, 1 is false; a literal test has only one."""
        if isinstance(test, ast.Constant) and {0, 1} >= set(options):
            wanted = 0 if test.value else 1
            return wanted if wanted in options else None
        key, flipped = normal_test(test)
        if not flipped:
            return self.world.choose(key, options)
        arm = self.world.choose(key, tuple(1 - option for option in options))
        return None if arm is None else 1 - arm

    def decide_around(self, node: ast.AST) -> None:
        """Take the arms in which a node stands as decided."""
        child = node
        for parent in self.map.parents(node):
            if isinstance(parent, ast.If | ast.Match):
                arms = arms_of(parent)
                arm = next((index for index, block in enumerate(arms) if child in block), None)
                if arm is not None:
                    key, flipped = normal_test(test_of(parent))
                    self.world.force(key, 1 - arm if flipped else arm)
            elif isinstance(parent, ast.IfExp) and child is not parent.test:
                key, flipped = normal_test(parent.test)
                arm = 0 if child is parent.body else 1
                self.world.force(key, 1 - arm if flipped else arm)
            child = parent

    # ── following an expression to the one that it stands for ────────────────────────────────────────────────────────

    def target(self, node: ast.expr) -> ast.expr | None:
        """Follow names, attributes and parameters to the expression that they stand for; None when nothing tells."""
        for _ in range(MAX_DEPTH):
            following: ast.expr | Literal | None
            match node:
                case ast.Name(id=name):
                    found = self.definition(name, node)
                    following = self.follow(found) if found is not None else None
                case ast.Attribute():
                    following = self.attribute_target(node)
                case ast.NamedExpr(value=value):
                    following = value
                case ast.IfExp(test=test, body=body, orelse=orelse):
                    arm = self.arm_of(test, (0, 1))
                    following = None if arm is None else (body, orelse)[arm]
                case ast.Subscript(value=owner, slice=ast.Constant(value=str(key))):
                    entries = self.mapping(owner)
                    item = entries.items.get(key) if entries is not None else None
                    following = item.node if item is not None else None
                case ast.Subscript(value=owner, slice=ast.Constant(value=int(index))):
                    literal = self._sequence(owner)
                    fits = literal is not None and -len(literal) <= index < len(literal)
                    following = literal[index] if literal is not None and fits else None
                case ast.Call(func=ast.Attribute(value=owner, attr="copy"), args=[]):
                    following = owner
                case ast.Call():
                    return self.returned(node) or node
                case _:
                    return node
            if following is None or isinstance(following, Literal):
                return None
            node = following
        return None

    def follow(self, found: Definition) -> ast.expr | None:
        """Find the expression that a definition gives to its name."""
        match found:
            case Assigned(value):
                return value
            case Parameter(function, name):
                return self._argument(function, name)
            case LoopItem(loop, path):
                return self._loop_item(loop, path)
        return None

    def _argument(self, function: FunctionNode, name: str) -> ast.expr | None:
        """Find what the callers give for a parameter; several callers are several worlds."""
        callers = self.map.callers_of(function)
        if not callers and parameters(function)[:1] == [name]:
            return searched_argument(self, function)
        if not callers or len(callers) > MAX_CALLERS:
            return None
        chosen = self.world.choose(("caller", function), tuple(range(len(callers))))
        if chosen is None:
            return None
        return given_argument(function, callers[chosen], name, bound=self.map.is_method(function))

    def _loop_item(self, loop: ast.For | ast.AsyncFor | ast.comprehension, path: tuple[int, ...]) -> ast.expr | None:
        items = self._iterated(loop.iter)
        if not items or len(items) > MAX_CALLERS:
            return None
        chosen = self.world.choose(("item", loop), tuple(range(len(items))))
        item: ast.expr | None = None if chosen is None else items[chosen]
        for index in path:
            if not isinstance(item, ast.Tuple | ast.List) or index >= len(item.elts):
                return None
            item = item.elts[index]
        return item

    def _iterated(self, node: ast.expr) -> list[ast.expr] | None:
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="items" | "values" as kind), args=[]):
                literal = self.target(owner)
                if isinstance(literal, ast.Dict) and all(key is not None for key in literal.keys):
                    pairs = zip(literal.keys, literal.values, strict=True)
                    if kind == "values":
                        return list(literal.values)
                    return [ast.Tuple([key, value], ast.Load()) for key, value in pairs if key is not None]
                return None
        literal = self.target(node)
        if isinstance(literal, ast.List | ast.Tuple) and not any(isinstance(one, ast.Starred) for one in literal.elts):
            return list(literal.elts)
        return None

    def returned(self, node: ast.Call) -> ast.expr | None:
        """Find what a function of this file returns, when it does nothing but return it and has this one caller."""
        function = self.map.function_called(node)
        if function is None or self.map.callers_of(function) != [node]:
            return None
        return only_return(function)


def _float(text: str) -> Expr:
    try:
        return Literal(float(text))
    except ValueError:
        return UNKNOWN
