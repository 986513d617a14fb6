"""Following values through one Python file: what a name, an attribute or a dict holds where it is used.

This is reaching definitions over the syntax tree, read backwards from the use: assignments, branches, loops over literal
lists, parameters with known callers, defaults of argparse, dataclasses and classes. Where the program could go several
ways, a *world* chooses one way for every test, the same way wherever that test stands, so that fields that are assigned
together stay together. Nothing is guessed: what cannot be followed is a symbol or UNKNOWN.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from adalint.readers.python_scopes import FRAMES, FUNCTIONS, FunctionNode
from adalint.source import Span
from adalint.values import UNKNOWN, Expr, Literal, Symbol, operate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from adalint.readers.python_scopes import Binding, FileMap

Result = TypeVar("Result")

MAX_DEPTH: Final = 40
MAX_WORLDS: Final = 24
MAX_CALLERS: Final = 8

ARITHMETIC: Final = frozenset({"int", "round", "max", "min", "abs", "ceil", "floor"})
_BINARY: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_HARMLESS: Final = frozenset(
    {
        "print",
        "pprint",
        "dumps",
        "dump",
        "info",
        "debug",
        "warning",
        "log",
        "len",
        "sorted",
        "list",
        "str",
        "repr",
        "copy",
    }
    | {"deepcopy", "dict", "items", "keys", "values", "get", "isinstance", "type", "hash", "id", "format", "append"}
)


class World:
    """One way through the program: for each test that was met, which arm is taken.

    A world is made by running: where a test has not been decided, the first way is taken and remembered, and
    `next_world` gives the following one. With `blind`, every undecided test is unknown.
    """

    def __init__(self, path: Sequence[tuple[Any, tuple[int, ...], int]] = (), *, blind: bool = False) -> None:
        self.path = list(path)
        self.blind = blind
        self._chosen = {key: options[index] for key, options, index in self.path}
        self._forced: dict[Any, int] = {}

    def force(self, key: Any, arm: int) -> None:
        """Decide a test beforehand: the use stands within that arm."""
        self._forced[key] = arm

    def choose(self, key: Any, options: Sequence[int]) -> int | None:
        """Take an arm; None when the world is blind."""
        if len(options) == 1:
            return options[0]
        for decided in (self._forced, self._chosen):
            if key in decided:
                return decided[key] if decided[key] in options else None
        if self.blind:
            return None
        self.path.append((key, tuple(options), 0))
        self._chosen[key] = options[0]
        return options[0]

    def next_world(self) -> World | None:
        """Give the world after this one; None when all have been seen."""
        path = list(self.path)
        while path:
            key, options, index = path.pop()
            if index + 1 < len(options):
                return World([*path, (key, options, index + 1)])
        return None


@dataclass(frozen=True, slots=True)
class Assigned:
    """The name holds what this expression is worth where it stands."""

    value: ast.expr


@dataclass(frozen=True, slots=True)
class Augmented:
    """The name holds its former value, changed by this statement."""

    statement: ast.AugAssign


@dataclass(frozen=True, slots=True)
class Parameter:
    """The name is a parameter; its callers tell."""

    function: FunctionNode
    name: str


@dataclass(frozen=True, slots=True)
class LoopItem:
    """The name is (a part of) what a loop goes through."""

    loop: ast.For | ast.AsyncFor | ast.comprehension
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something binds the name, and the text does not tell to what."""

    node: ast.AST


Definition: TypeAlias = Assigned | Augmented | Parameter | LoopItem | Opaque


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a mapping: what it is worth, where it is written, and the dict literal that it is written in.

    `home` is None when it is written in no literal that an edit could touch.
    """

    expr: Expr
    node: ast.expr | None
    span: Span
    key_span: Span
    home: Span | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """What is known of a dict; `open` says that it may hold more."""

    items: dict[str, Item] = field(default_factory=dict)
    open: bool = False

    def merged(self, later: Entries) -> Entries:
        """Put later entries over these."""
        return Entries({**self.items, **later.items}, self.open or later.open)


OPEN: Final = Entries(open=True)


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is known of an object's attributes: expressions, each worth what it is where it stands."""

    known: Mapping[str, ast.expr | Literal]


class Flow:
    """Evaluation of one file in one world."""

    def __init__(self, file_map: FileMap, world: World) -> None:
        self.map = file_map
        self.world = world
        self._depth = 0

    # ── scalars ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, node: ast.expr) -> Expr:
        """Tell what an expression is worth where it stands."""
        if self._depth > MAX_DEPTH:
            return UNKNOWN
        self._depth += 1
        try:
            return self._value(node)
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
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return operate(_BINARY[type(op)], self.value(left), self.value(right))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                arm = self._arm_of(test, (0, 1))
                return UNKNOWN if arm is None else self.value((body, orelse)[arm])
            case ast.BoolOp(op=ast.Or(), values=[first, second]):
                left = self.value(first)
                if isinstance(left, Literal):
                    return left if left.value else self.value(second)
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
        target = self._follow(found)
        worth = UNKNOWN if target is None else self.value(target)
        return worth if worth is not UNKNOWN else Symbol(node.id, self._origin(target or _node_of(found)))

    def _augmented(self, statement: ast.AugAssign) -> Expr:
        if not isinstance(statement.target, ast.Name) or type(statement.op) not in _BINARY:
            return UNKNOWN
        before = self._before(statement.target.id, statement)
        former = self.value(before.value) if isinstance(before, Assigned) else UNKNOWN
        if isinstance(before, Augmented):
            former = self._augmented(before.statement)
        return operate(_BINARY[type(statement.op)], former, self.value(statement.value))

    def _origin(self, node: ast.AST) -> int:
        row, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
        return 0 if row is None or column is None else self.map.source.offset_at(row, column)

    def _attribute(self, node: ast.Attribute) -> Expr:
        path = self.map.path_of(node)
        if path is not None and path.startswith("peft.") and path.split(".")[-2] in {"TaskType", "PeftType"}:
            return Literal(node.attr)
        target = self.attribute_target(node)
        if isinstance(target, Literal):
            return target
        if target is not None:
            worth = self.value(target)
            if worth is not UNKNOWN:
                return worth
        owner = self._stable(node.value)
        if owner is None or node.attr in self.map.assigned_attributes:
            return UNKNOWN
        return Symbol(f"{owner.text}.{node.attr}", owner.origin)

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
        """Tell whether a statement is certain to have run when a node is reached: it stands above it in a block around."""
        block_holder = self.map.parent(statement)
        inside = [node, *self.map.parents(node)]
        return block_holder in inside and self._origin(statement) < self._origin(node)

    def _subscript(self, node: ast.Subscript) -> Expr:
        match node.slice:
            case ast.Constant(value=str(key)):
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
                return Symbol(name, 0 if found is None else self._origin(_node_of(found)))
            case ast.Attribute() | ast.Subscript():
                inner = self.value(node)
                return inner if isinstance(inner, Symbol) else None
        return None

    def _call(self, node: ast.Call) -> Expr:
        path = self.map.path_of(node.func) or ""
        if path.startswith("peft."):
            return Symbol(ast.unparse(node))
        name = {"math.ceil": "ceil", "math.floor": "floor"}.get(path, "")
        if isinstance(node.func, ast.Name) and not self.map.bindings(node.func.id, node):
            name = node.func.id
        match name, node:
            case "getattr", ast.Call(args=[owner, ast.Constant(value=str(attr)), default], keywords=[]):
                return self._getattr(owner, attr, default)
            case "len", ast.Call(args=[inner], keywords=[]):
                stable = self._stable(inner)
                return Symbol(f"len({stable.text})", stable.origin) if stable else UNKNOWN
        if name in ARITHMETIC and not node.keywords and (name in {"max", "min"}) == (len(node.args) > 1) and node.args:
            return operate(name, *(self.value(arg) for arg in node.args))
        match node.func:
            case ast.Attribute(value=owner, attr="get") if node.args and isinstance(node.args[0], ast.Constant):
                return self._get(owner, node.args)
        returned = self._returned(node)
        return UNKNOWN if returned is None else self.value(returned)

    def _getattr(self, owner: ast.expr, attr: str, default: ast.expr) -> Expr:
        if attr in self.map.assigned_attributes:
            return UNKNOWN
        known = self.attributes(owner)
        target = default if known is None else known.known.get(attr, default)
        return target if isinstance(target, Literal) else self.value(target)

    def _get(self, owner: ast.expr, args: list[ast.expr]) -> Expr:
        entries = self.mapping(owner)
        if entries is None or not isinstance(args[0], ast.Constant):
            return UNKNOWN
        item = entries.items.get(str(args[0].value))
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
        walrus = [binding for binding in bindings if isinstance(binding.node, ast.NamedExpr)]
        if walrus:
            return Assigned(walrus[0].value) if len(bindings) == 1 and walrus[0].value else Opaque(walrus[0].node)
        if any(self.map.frame_of(binding.node) is not self.map.frame_of_scope(owner) for binding in bindings):
            return Opaque(bindings[0].node)
        if self.map.frame_of_scope(owner) is self.map.frame_of(at):
            return self._before(name, at) or Opaque(bindings[0].node)
        return self._from_outside(name, bindings)

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
            case ast.For() | ast.AsyncFor() | ast.comprehension() as loop:
                path = _path_in(loop.target, name)
                return LoopItem(loop, path) if path is not None else Opaque(loop)
            case ast.arg():
                function = next(parent for parent in self.map.parents(binding.node) if isinstance(parent, FunctionNode))
                return Parameter(function, name)
        return Opaque(binding.node)

    def _before(self, name: str, node: ast.AST) -> Definition | None:
        """Walk back from a node to the nearest definition in the same frame."""
        child = node
        for parent in self.map.parents(node):
            block = _block_of(parent, child)
            if block is not None:
                found = self._scan(name, block[: block.index(child)])  # type: ignore[arg-type]
                if found is not None:
                    return found
            found = self._on_the_way(name, parent, child)
            if found is not None:
                return found
            if isinstance(parent, FRAMES):
                if isinstance(parent, FunctionNode) and name in _parameters(parent):
                    return Parameter(parent, name)
                return None
            child = parent
        return None

    def _on_the_way(self, name: str, parent: ast.AST, child: ast.AST) -> Definition | None:
        """Tell what a statement around the use does to a name: loops go round, handlers come from anywhere in `try`."""
        match parent:
            case ast.For() | ast.AsyncFor() if child in parent.body:
                path = _path_in(parent.target, name)
                if path is not None:
                    return LoopItem(parent, path)
                return Opaque(parent) if self.map.binds(name, parent) else None
            case ast.While() if self.map.binds(name, parent):
                return Opaque(parent)
            case ast.Try(body=body) if child not in body and any(self.map.binds(name, one) for one in body):
                return Opaque(parent)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                for generator in parent.generators:
                    path = _path_in(generator.target, name)
                    if path is not None:
                        return LoopItem(generator, path)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                if any(item.optional_vars and _path_in(item.optional_vars, name) is not None for item in items):
                    return Opaque(parent)
            case ast.ExceptHandler(name=bound) if bound == name:
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
                    found = _part_for(target, value, name)
                    if found is not None:
                        return Assigned(found)
                return Opaque(statement)
            case ast.AnnAssign(value=value):
                return None if value is None else Assigned(value)
            case ast.AugAssign():
                return Augmented(statement)
            case ast.If() | ast.Match():
                arms = _arms(statement)
                alive = tuple(index for index, arm in enumerate(arms) if not _ends(arm))
                arm = self._arm_of(_test(statement), alive) if alive else None
                return Opaque(statement) if arm is None else self._scan(name, arms[arm])
            case ast.With(body=body) | ast.AsyncWith(body=body):
                return self._scan(name, body) or Opaque(statement)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                if all(_ends(handler.body) for handler in handlers):
                    return self._scan(name, [*body, *orelse, *final]) or Opaque(statement)
        return Opaque(statement)

    def _arm_of(self, test: ast.expr, options: Sequence[int]) -> int | None:
        """Choose an arm of a test: 0 is true, 1 is false; a literal test has only one."""
        if isinstance(test, ast.Constant) and {0, 1} >= set(options):
            wanted = 0 if test.value else 1
            return wanted if wanted in options else None
        key, flipped = _normal(test)
        if not flipped:
            return self.world.choose(key, options)
        arm = self.world.choose(key, tuple(1 - option for option in options))
        return None if arm is None else 1 - arm

    def decide_around(self, node: ast.AST) -> None:
        """Take the arms in which a node stands as decided."""
        child = node
        for parent in self.map.parents(node):
            if isinstance(parent, ast.If | ast.Match):
                arms = _arms(parent)
                arm = next((index for index, block in enumerate(arms) if child in block), None)
                if arm is not None:
                    key, flipped = _normal(_test(parent))
                    self.world.force(key, 1 - arm if flipped else arm)
            elif isinstance(parent, ast.IfExp) and child is not parent.test:
                key, flipped = _normal(parent.test)
                arm = 0 if child is parent.body else 1
                self.world.force(key, 1 - arm if flipped else arm)
            child = parent

    # ── following an expression to the one that it stands for ────────────────────────────────────────────────────────

    def target(self, node: ast.expr) -> ast.expr | None:
        """Follow names, attributes and parameters to the expression that they stand for; None when the text does not tell."""
        for _ in range(MAX_DEPTH):
            following: ast.expr | Literal | None
            match node:
                case ast.Name(id=name):
                    found = self.definition(name, node)
                    following = self._follow(found) if found is not None else None
                case ast.Attribute():
                    following = self.attribute_target(node)
                case ast.NamedExpr(value=value):
                    following = value
                case ast.IfExp(test=test, body=body, orelse=orelse):
                    arm = self._arm_of(test, (0, 1))
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
                    return self._returned(node) or node
                case _:
                    return node
            if following is None or isinstance(following, Literal):
                return None
            node = following
        return None

    def _follow(self, found: Definition) -> ast.expr | None:
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
        if not callers or len(callers) > MAX_CALLERS:
            return None
        chosen = self.world.choose(("caller", function), tuple(range(len(callers))))
        if chosen is None:
            return None
        return _given_argument(function, callers[chosen], name, bound=self.map.is_method(function))

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

    def _returned(self, node: ast.Call) -> ast.expr | None:
        """Find what a function of this file returns, when it does nothing but return it and has this one caller."""
        function = self.map.function_called(node)
        if function is None or self.map.callers_of(function) != [node]:
            return None
        return _only_return(function)

    # ── mappings ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def mapping(self, node: ast.expr) -> Entries | None:
        """Tell what a dict holds where it is used; None when the expression is no dict that the text tells of."""
        if self._depth > MAX_DEPTH:
            return None
        self._depth += 1
        try:
            return self._mapping(node)
        finally:
            self._depth -= 1

    def _mapping(self, node: ast.expr) -> Entries | None:
        match node:
            case ast.Dict():
                return self._literal(node)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                first, second = self.mapping(left), self.mapping(right)
                if first is None or second is None:
                    return None
                return first.merged(second)
            case ast.Name(id=name):
                return self._named_mapping(name, node)
            case ast.Call():
                return self._called_mapping(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                arm = self._arm_of(test, (0, 1))
                return None if arm is None else self.mapping((body, orelse)[arm])
        target = self.target(node)
        return None if target is None or target is node else self.mapping(target)

    def _literal(self, node: ast.Dict) -> Entries:
        home = self.map.span(node)
        entries = Entries()
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                inner = self.mapping(value)
                entries = entries.merged(OPEN if inner is None else inner)
            elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                item = Item(self.value(value), value, self.map.span(value), self._key_span(key), home)
                entries = entries.merged(Entries({key.value: item}))
            else:
                entries = entries.merged(OPEN)
        return entries

    def _key_span(self, key: ast.expr) -> Span:
        """Give the word of a quoted key, without its quotes."""
        span = self.map.span(key)
        text = self.map.source.slice(span)
        body = text.strip("rRbBuUfF")[:1]
        quote = len(text) - len(text.lstrip("rRbBuUfF")) + (3 if text.endswith(body * 3) and len(text) > 5 else 1)
        end = 3 if text.endswith(body * 3) and len(text) > 5 else 1
        return Span(span.start + quote, span.stop - end)

    def _called_mapping(self, node: ast.Call) -> Entries | None:
        match node:
            case ast.Call(func=ast.Name(id="dict")) if not self.map.bindings("dict", node):
                return self._dict_call(node)
            case ast.Call(func=ast.Attribute(value=owner, attr="copy"), args=[], keywords=[]):
                return self.mapping(owner)
            case ast.Call(func=func, args=[inner]) if _last(func) in {"deepcopy", "copy"}:
                return self.mapping(inner)
            case ast.Call(func=func, args=[inner]) if _last(func) in {"asdict", "vars"}:
                return self._fields(inner)
        returned = self._returned(node)
        return None if returned is None else self.mapping(returned)

    def _dict_call(self, node: ast.Call) -> Entries | None:
        entries = Entries()
        for arg in node.args:
            inner = self.mapping(arg)
            entries = entries.merged(OPEN if inner is None else inner)
        return entries.merged(self.keywords(node.keywords, home=self.map.span(node)))

    def keywords(self, keywords: Sequence[ast.keyword], home: Span | None = None) -> Entries:
        """Read keyword arguments as a dict."""
        entries = Entries()
        for keyword in keywords:
            if keyword.arg is None:
                inner = self.mapping(keyword.value)
                entries = entries.merged(OPEN if inner is None else inner)
            else:
                start, span = self.map.start(keyword), self.map.span(keyword.value)
                key_span = Span(start, start + len(keyword.arg.encode()))
                if self.map.source.slice(key_span) != keyword.arg:
                    # A default in a class body, which is a keyword of its constructor by another name.
                    key_span = span
                item = Item(self.value(keyword.value), keyword.value, span, key_span, home)
                entries = entries.merged(Entries({keyword.arg: item}))
        return entries

    def _fields(self, node: ast.expr) -> Entries | None:
        """Read the fields of an object as a dict, for `asdict` and `vars`."""
        known = self.attributes(node)
        if known is None:
            return None
        items = {}
        for name, target in known.known.items():
            if name in self.map.assigned_attributes:
                continue
            if isinstance(target, Literal):
                return OPEN
            items[name] = Item(self.value(target), target, self.map.span(target), self.map.span(target))
        return Entries(items, open=True)

    def _named_mapping(self, name: str, node: ast.Name) -> Entries | None:
        found = self.definition(name, node)
        if isinstance(found, Parameter) and _is_double_starred(found.function, name):
            return self._extra_keywords(found.function)
        target = None if found is None else self._follow(found)
        if target is None:
            return None
        entries = self.mapping(target)
        if entries is None:
            return None
        changes = self._changes(name, node, target)
        if changes is None:
            return OPEN
        for change in changes:
            entries = self._changed(entries, change)
        return entries if self.map.loads(name, node) <= 1 else _shared(entries)

    def _extra_keywords(self, function: FunctionNode) -> Entries | None:
        callers = self.map.callers_of(function)
        if not callers or len(callers) > MAX_CALLERS:
            return None
        chosen = self.world.choose(("caller", function), tuple(range(len(callers))))
        if chosen is None:
            return None
        own = set(_parameters(function))
        extra = [keyword for keyword in callers[chosen].keywords if keyword.arg is None or keyword.arg not in own]
        return _shared(self.keywords(extra))

    def _changes(self, name: str, node: ast.AST, target: ast.expr) -> list[ast.stmt] | None:
        """List what changes a dict between its making and its use, in order; None when something may change it unseen."""
        start, stop = self._origin(target), self._origin(node)
        same_frame = self.map.frame_of(target) is self.map.frame_of(node)
        changes: list[ast.stmt] = []
        for use in self.map.uses(name, node):
            statement = self.map.statement_of(use)
            if statement is None or self.map.statement_of(node) is statement:
                continue
            place = self._origin(use)
            if same_frame and not start < place < stop:
                if place > stop and self._goes_round(node, use) and _change_of(statement, name) is not None:
                    return None
                continue
            if _change_of(statement, name) is None:
                if self._escapes(use):
                    return None
                continue
            taken = self._is_taken(statement, node)
            if taken is None:
                return None
            if taken:
                changes.append(statement)
        return sorted(changes, key=self._origin)

    def _goes_round(self, node: ast.AST, use: ast.AST) -> bool:
        """Tell whether both stand in one loop, so that the later one runs before the earlier one's next round."""
        loops = [parent for parent in self.map.parents(node) if isinstance(parent, ast.For | ast.While)]
        return any(parent in loops for parent in self.map.parents(use))

    def _is_taken(self, statement: ast.stmt, node: ast.AST) -> bool | None:
        """Tell whether a statement runs, in this world, before a node is reached; None when the text does not tell."""
        around = [node, *self.map.parents(node)]
        child: ast.AST = statement
        for parent in self.map.parents(statement):
            if parent in around or isinstance(parent, FRAMES):
                break
            if isinstance(parent, ast.If | ast.Match):
                arms = _arms(parent)
                mine = next((index for index, arm in enumerate(arms) if child in arm), None)
                arm = self._arm_of(_test(parent), tuple(range(len(arms))))
                if arm is None or mine is None:
                    return None
                if arm != mine:
                    return False
            elif not isinstance(parent, ast.With | ast.AsyncWith):
                return None
            child = parent
        return True

    def _escapes(self, use: ast.Name) -> bool:
        """Tell whether a use hands the dict to code that may change it."""
        parent = self.map.parent(use)
        if isinstance(parent, ast.keyword):
            return parent.arg is not None
        if isinstance(parent, ast.Call) and use in parent.args:
            return _last(parent.func) not in _HARMLESS
        if isinstance(parent, ast.Attribute):
            return parent.attr not in _HARMLESS
        if isinstance(parent, ast.Subscript):
            return isinstance(parent.slice, ast.Slice)
        return isinstance(parent, ast.Assign | ast.AnnAssign | ast.Return | ast.Tuple | ast.List)

    def _changed(self, entries: Entries, statement: ast.stmt) -> Entries:
        match statement:
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(key)) as word)], value=value):
                item = Item(self.value(value), value, self.map.span(value), self._key_span(word))
                return entries.merged(Entries({key: item}))
            case ast.AugAssign(op=ast.BitOr(), value=value):
                inner = self.mapping(value)
                return entries.merged(OPEN if inner is None else inner)
            case ast.Delete(targets=[ast.Subscript(slice=ast.Constant(value=str(key)))]):
                return _without(entries, key)
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="update"), args=args, keywords=keywords)):
                for arg in args:
                    inner = self.mapping(arg)
                    entries = entries.merged(OPEN if inner is None else inner)
                return entries.merged(self.keywords(keywords))
        match _called(statement):
            case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(value=str(key)), *_]):
                return _without(entries, key)
            case ast.Call(func=ast.Attribute(attr="setdefault"), args=[ast.Constant(value=str(key)) as word, value]):
                if key in entries.items:
                    return entries
                if entries.open:
                    return entries
                item = Item(self.value(value), value, self.map.span(value), self._key_span(word))
                return entries.merged(Entries({key: item}))
        return OPEN

    # ── objects ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def attributes(self, node: ast.expr) -> Attributes | None:
        """Tell what is known of an object's attributes; None when the text does not tell what the object is."""
        if self._depth > MAX_DEPTH:
            return None
        self._depth += 1
        try:
            return self._attributes(node)
        finally:
            self._depth -= 1

    def _attributes(self, node: ast.expr) -> Attributes | None:
        if isinstance(node, ast.Name):
            if node.id == "self":
                owner = self.map.class_of(self.map.frame_of(node))
                return None if owner is None else Attributes(self.map.class_defaults(owner))
            of_class = self.map.class_named(node)
            if of_class is not None:
                return Attributes(self.map.class_defaults(of_class))
            unpacked = self._unpacked(node)
            if unpacked is not None:
                return unpacked
        target = self.target(node)
        match target:
            case ast.Call(func=ast.Attribute(attr="parse_args")):
                return Attributes(self.map.argparse_defaults)
            case ast.Call(func=func, keywords=keywords) if _last(func) in {"SimpleNamespace", "Namespace"}:
                return Attributes({one.arg: one.value for one in keywords if one.arg is not None})
            case ast.Call(func=func, args=[ast.Name() as name, *_]) if _last(func) in {"cli", "parse"}:
                of_class = self.map.class_named(name)
                return None if of_class is None else Attributes(self.map.class_defaults(of_class))
            case ast.Call(func=ast.Name() as name):
                of_class = self.map.class_named(name)
                return None if of_class is None else self._instance(of_class, target)
        return None

    def _instance(self, of_class: ast.ClassDef, call: ast.Call) -> Attributes | None:
        defaults = dict(self.map.class_defaults(of_class))
        if any(keyword.arg is None for keyword in call.keywords):
            return None
        names = [name for name in self.map.class_fields(of_class)]
        given = dict(zip(names, call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
        return Attributes({**defaults, **given})

    def _unpacked(self, node: ast.Name) -> Attributes | None:
        """Follow `a, b = parser.parse_args_into_dataclasses()` and `args, rest = parser.parse_known_args()`."""
        _, bindings = self.map.owner_of(node.id, node)
        if len(bindings) != 1 or not isinstance(bindings[0].node, ast.Assign):
            return None
        statement = bindings[0].node
        path = _path_in(statement.targets[0], node.id)
        match statement.value:
            case ast.Call(func=ast.Attribute(attr="parse_known_args")) if path == (0,):
                return Attributes(self.map.argparse_defaults)
            case ast.Call(func=ast.Attribute(value=parser, attr="parse_args_into_dataclasses")):
                made = self.target(parser)
                if not isinstance(made, ast.Call) or not made.args:
                    return None
                classes = made.args[0].elts if isinstance(made.args[0], ast.Tuple | ast.List) else [made.args[0]]
                index = path[0] if path else 0
                of_class = self.map.class_named(classes[index]) if path is not None and index < len(classes) else None
                return None if of_class is None else Attributes(self.map.class_defaults(of_class))
        return None


def in_every_world(run: Callable[[World], Result]) -> list[Result]:
    """Run in every world; when there are too many, once where every undecided test is unknown."""
    results: list[Result] = []
    world: World | None = World()
    while world is not None:
        if len(results) >= MAX_WORLDS:
            return [run(World(blind=True))]
        results.append(run(world))
        world = world.next_world()
    return results


def _node_of(found: Definition) -> ast.AST:
    match found:
        case Assigned(value):
            return value
        case Augmented(statement):
            return statement
        case Parameter(function, _):
            return function
        case LoopItem(loop, _):
            return loop
    return found.node


def _normal(test: ast.expr) -> tuple[str, bool]:
    """Write a test so that `x` and `not x`, `==` and `!=`, `is` and `is not` are one test, asked both ways."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            key, flipped = _normal(operand)
            return key, not flipped
        case ast.Compare(left=left, ops=[ast.NotEq() | ast.IsNot() as op], comparators=[right]):
            positive: ast.cmpop = ast.Eq() if isinstance(op, ast.NotEq) else ast.Is()
            return ast.unparse(ast.Compare(left, [positive], [right])), True
    return ast.unparse(test), False


def _arms(statement: ast.If | ast.Match) -> list[list[ast.stmt]]:
    if isinstance(statement, ast.If):
        return [statement.body, statement.orelse]
    arms = [case.body for case in statement.cases]
    last = statement.cases[-1]
    catches_all = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
    return arms if catches_all else [*arms, []]


def _test(statement: ast.If | ast.Match) -> ast.expr:
    return statement.test if isinstance(statement, ast.If) else statement.subject


def _ends(block: Sequence[ast.stmt]) -> bool:
    """Tell whether nothing after a block is reached through it."""
    if not block:
        return False
    match block[-1]:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return True
        case ast.Expr(value=ast.Call(func=func)):
            return _last(func) in {"exit", "_exit", "abort", "error", "fail", "skip"}
        case ast.If(body=body, orelse=orelse):
            return _ends(body) and _ends(orelse)
    return False


def _block_of(parent: ast.AST, child: ast.AST) -> list[ast.stmt] | None:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and child in block:
            return block
    return None


def _path_in(target: ast.expr, name: str) -> tuple[int, ...] | None:
    """Find a name in a target of assignment: () for the target itself, else the indices into its tuples."""
    match target:
        case ast.Name(id=bound):
            return () if bound == name else None
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            if any(isinstance(part, ast.Starred) for part in parts):
                return None
            for index, part in enumerate(parts):
                inner = _path_in(part, name)
                if inner is not None:
                    return (index, *inner)
    return None


def _part_for(target: ast.expr, value: ast.expr, name: str) -> ast.expr | None:
    """Find the part of an assigned value that goes to a name."""
    path = _path_in(target, name)
    if path is None:
        return None
    for index in path:
        if not isinstance(value, ast.Tuple | ast.List) or index >= len(value.elts):
            return None
        if any(isinstance(part, ast.Starred) for part in value.elts):
            return None
        value = value.elts[index]
    return value


def _parameters(function: FunctionNode) -> list[str]:
    args = function.args
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    return [arg.arg for arg in (*named, *filter(None, (args.vararg, args.kwarg)))]


def _is_double_starred(function: FunctionNode, name: str) -> bool:
    return function.args.kwarg is not None and function.args.kwarg.arg == name


def _given_argument(function: FunctionNode, call: ast.Call, name: str, *, bound: bool) -> ast.expr | None:
    """Find the expression that a call gives for a parameter, its default when it gives none."""
    if any(isinstance(arg, ast.Starred) for arg in call.args) or any(one.arg is None for one in call.keywords):
        return None
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    if bound:
        positional = positional[1:]
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    for arg, value in zip(positional, call.args, strict=False):
        if arg.arg == name:
            return value
    defaults: dict[str, ast.expr] = {
        arg.arg: value
        for arg, value in zip(reversed([*args.posonlyargs, *args.args]), reversed(args.defaults), strict=False)
    }
    defaults |= {
        arg.arg: value for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is not None
    }
    return defaults.get(name)


def _only_return(function: FunctionNode) -> ast.expr | None:
    if isinstance(function, ast.Lambda):
        return function.body
    returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
    last = function.body[-1]
    return last.value if len(returns) == 1 and last is returns[0] and isinstance(last, ast.Return) else None


def _last(func: ast.expr) -> str:
    match func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _called(statement: ast.stmt) -> ast.expr | None:
    match statement:
        case ast.Expr(value=value) | ast.Assign(value=value):
            return value
    return None


def _change_of(statement: ast.stmt, name: str) -> ast.stmt | None:
    """Tell whether a statement changes the dict of that name in a way that can be followed."""
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=changed))]) if changed == name:
            return statement
        case ast.AugAssign(target=ast.Name(id=changed)) if changed == name:
            return statement
        case ast.Delete(targets=[ast.Subscript(value=ast.Name(id=changed))]) if changed == name:
            return statement
    match _called(statement):
        case ast.Call(func=ast.Attribute(value=ast.Name(id=changed), attr="update" | "pop" | "setdefault" | "clear")):
            return statement if changed == name else None
    return None


def _without(entries: Entries, key: str) -> Entries:
    return Entries({name: item for name, item in entries.items.items() if name != key}, entries.open)


def _shared(entries: Entries) -> Entries:
    return Entries({name: replace(item, home=None) for name, item in entries.items.items()}, entries.open)
