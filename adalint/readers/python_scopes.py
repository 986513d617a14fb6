"""Which name means what: scopes, bindings and dotted paths of one Python file."""

from __future__ import annotations

import ast
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from adalint.readers.python_bindings import BINDERS, SCOPES, Binding, Scope, belongs_outside, children_of, collect
from adalint.readers.python_classes import read_argparse_defaults
from adalint.readers.python_syntax import parse
from adalint.readers.tutorials import imported_beside
from adalint.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source
    from adalint.values import Literal

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
FRAMES: Final = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

_STARRED: Final = frozenset({"AdaLoraConfig", "TaskType", "PeftType", "get_peft_config", "get_peft_model"})
"""What matters here of the names that `from peft import *` gives."""

_LONGEST_PATH: Final = 20
"""Names that are joined by dots, or stand for one another."""


class FileMap:
    """The syntax tree of one file with its scopes; built once, asked often."""

    def __init__(self, source: Source, tree: ast.Module) -> None:
        self.source = source
        self.tree = tree
        self._parent: dict[ast.AST, ast.AST] = {}
        self._scope: dict[ast.AST, Scope] = {}
        self._nodes: list[ast.AST] = []
        self._scopes: list[Scope] = []
        self._frames: dict[ast.AST, ast.AST] = {}
        self._paths: dict[ast.expr, str | None] = {}
        self._walk()

    def _walk(self) -> None:
        module = Scope(self.tree, None)
        self._scopes.append(module)
        pending: list[tuple[ast.AST, Scope]] = [(self.tree, module)]
        declared: list[tuple[Scope, str, bool]] = []
        while pending:
            node, scope = pending.pop()
            kind = type(node)
            self._nodes.append(node)
            self._scope[node] = scope
            if kind in BINDERS:
                collect(node, scope, declared)
            inner = scope
            if isinstance(node, SCOPES) and node is not self.tree:
                inner = Scope(node, scope)
                self._scopes.append(inner)
            is_split = inner is not scope or kind is ast.arguments or kind is ast.comprehension
            for child in children_of(node):
                self._parent[child] = node
                pending.append((child, self._scope_for(node, child, scope, inner) if is_split else inner))
        for scope, name, is_global in declared:
            outer = module if is_global else scope.parent
            while outer is not None and not is_global and name not in outer.bindings:
                outer = outer.parent
            for binding in scope.bindings.pop(name, []):
                (outer or module).bind(name, binding)

    def _scope_for(self, node: ast.AST, child: ast.AST, scope: Scope, inner: Scope) -> Scope:
        """Find the scope that evaluates a child; parts of a function, class or comprehension belong to the outside."""
        if inner is not scope and belongs_outside(node, child):
            return scope
        is_default = isinstance(node, ast.arguments) and child in (*node.defaults, *node.kw_defaults)
        owner = self._parent.get(node)
        is_first_iterable = (
            isinstance(node, ast.comprehension)
            and child is node.iter
            and node is getattr(owner, "generators", [None])[0]
        )
        return scope.parent if (is_default or is_first_iterable) and scope.parent is not None else inner

    def nodes(self) -> Iterator[ast.AST]:
        """Give every node, in no particular order."""
        return iter(self._nodes)

    def calls(self) -> list[ast.Call]:
        """Give every call, in the order of the text."""
        return self._calls

    @cached_property
    def _calls(self) -> list[ast.Call]:
        calls = [node for node in self._nodes if isinstance(node, ast.Call)]
        return sorted(calls, key=lambda call: (call.lineno, call.col_offset, -(call.end_lineno or 0)))

    @cached_property
    def wraps(self) -> list[ast.Call]:
        """List the calls of PEFT's `get_peft_model`."""
        return [call for call in self._calls if _is_peft(self.path_of(call.func), "get_peft_model")]

    @cached_property
    def calls_inner_model(self) -> bool:
        """Tell whether the file calls some `model.base_model(…)` itself."""
        return any(isinstance(call.func, ast.Attribute) and call.func.attr == "base_model" for call in self._calls)

    @cached_property
    def _names(self) -> dict[str, list[ast.Name]]:
        names: dict[str, list[ast.Name]] = {}
        for node in self._nodes:
            if isinstance(node, ast.Name):
                names.setdefault(node.id, []).append(node)
        return names

    @cached_property
    def attributes_by_owner(self) -> dict[str, list[ast.Attribute]]:
        """Group all `owner.attr` by the dotted text of their owner."""
        groups: dict[str, list[ast.Attribute]] = {}
        for node in self._nodes:
            if isinstance(node, ast.Attribute):
                groups.setdefault(dotted(node.value), []).append(node)
        return groups

    @cached_property
    def tests_of(self) -> dict[str, list[ast.AST]]:
        """Group all that tests something by the dotted names in its test."""
        groups: dict[str, list[ast.AST]] = {}
        for node in self._nodes:
            match node:
                case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                    tests = [test]
                case ast.BoolOp(values=[*tests, _]) | ast.comprehension(ifs=tests):
                    pass
                case _:
                    continue
            names = {
                dotted(part) for test in tests for part in ast.walk(test) if isinstance(part, ast.Name | ast.Attribute)
            }
            for name in names:
                groups.setdefault(name, []).append(node)
        return groups

    def attributes_named(self, attr: str) -> list[ast.Attribute]:
        """Give all uses of an attribute of this name."""
        return self._attributes.get(attr, [])

    @cached_property
    def _attributes(self) -> dict[str, list[ast.Attribute]]:
        groups: dict[str, list[ast.Attribute]] = {}
        for node in self._nodes:
            if isinstance(node, ast.Attribute):
                groups.setdefault(node.attr, []).append(node)
        return groups

    @cached_property
    def calls_by_first_argument(self) -> dict[str, list[ast.Call]]:
        """Group all calls by the dotted text of their first argument."""
        groups: dict[str, list[ast.Call]] = {}
        for call in self._calls:
            if call.args:
                groups.setdefault(dotted(call.args[0]), []).append(call)
        return groups

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """Give the nodes around a node, innermost first."""
        while (parent := self._parent.get(node)) is not None:
            yield parent
            node = parent

    def start(self, node: ast.expr | ast.keyword | ast.stmt) -> int:
        """Tell the byte offset at which a node starts."""
        return self.source.offset_at(node.lineno, node.col_offset)

    def span(self, node: ast.expr | ast.keyword | ast.stmt) -> Span:
        """Give the bytes of a node, without the parentheses around it."""
        row, column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return Span(self.start(node), self.source.offset_at(row, column))

    def bindings(self, name: str, at: ast.AST) -> list[Binding]:
        """Give all bindings of the name as seen from a node; empty when the file does not bind it."""
        return self.owner_of(name, at)[1]

    def owner_of(self, name: str, at: ast.AST) -> tuple[Scope | None, list[Binding]]:
        """Find the scope that a name belongs to as seen from a node, with its bindings there."""
        scope: Scope | None = self._scope[at]
        first = True
        while scope is not None:
            visible = first or not isinstance(scope.node, ast.ClassDef)
            if visible and name in scope.bindings:
                return scope, scope.bindings[name]
            first = False
            scope = scope.parent
        return None, []

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Give the node directly around a node."""
        return self._parent.get(node)

    def statement_of(self, node: ast.AST) -> ast.stmt | None:
        """Give the innermost statement that a node stands in."""
        return next((one for one in (node, *self.parents(node)) if isinstance(one, ast.stmt)), None)

    def frame_of(self, node: ast.AST) -> ast.AST:
        """Give the function or module whose run evaluates a node; defaults and decorators belong to the outside."""
        if node not in self._frames:
            self._frames[node] = self._find_frame(node)
        return self._frames[node]

    def _find_frame(self, node: ast.AST) -> ast.AST:
        child = node
        for parent in self.parents(node):
            is_default = isinstance(child, ast.arguments) and not isinstance(node, ast.arg)
            outside = is_default or child in getattr(parent, "decorator_list", ())
            if isinstance(parent, FRAMES) and not outside:
                return parent
            child = parent
        return self.tree

    def frame_of_scope(self, scope: Scope) -> ast.AST:
        """Give the function or module that a scope is part of."""
        return scope.node if isinstance(scope.node, FRAMES) else self.frame_of(scope.node)

    def binds(self, name: str, node: ast.AST) -> bool:
        """Tell whether a statement, or one inside it that runs in the same frame, binds a name."""
        frame = self.frame_of(node)
        return any(
            (binding is node or (_may_lie_in(binding, node) and node in self.parents(binding)))
            and self.frame_of(binding) is frame
            for binding in self._bound.get(name, ())
        )

    @cached_property
    def _bound(self) -> dict[str, list[ast.AST]]:
        """The nodes that bind each name, comprehensions left out: their names end with them."""
        bound: dict[str, list[ast.AST]] = {}
        for scope in {id(scope): scope for scope in self._scopes}.values():
            if not isinstance(scope.node, _COMPREHENSIONS):
                for name, bindings in scope.bindings.items():
                    bound.setdefault(name, []).extend(binding.node for binding in bindings)
        return bound

    def uses(self, name: str, at: ast.AST) -> list[ast.Name]:
        """Give all places that read the same variable as a node does."""
        owner, _ = self.owner_of(name, at)
        return [node for node in self._names.get(name, ()) if self.owner_of(name, node)[0] is owner]

    def attribute_stores(self, attr: str) -> list[ast.Attribute]:
        """Give all places that assign an attribute of this name."""
        return self._stores.get(attr, [])

    @cached_property
    def _stores(self) -> dict[str, list[ast.Attribute]]:
        stores: dict[str, list[ast.Attribute]] = {}
        for node in self._nodes:
            if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                stores.setdefault(node.attr, []).append(node)
        return stores

    def function_called(self, call: ast.Call) -> FunctionNode | None:
        """Find the function of this file that a call calls."""
        match call.func:
            case ast.Name(id=name):
                binding = self.the_binding(name, call)
                if binding is None:
                    return None
                if isinstance(binding.node, FUNCTIONS):
                    return binding.node
                return binding.value if isinstance(binding.value, ast.Lambda) else None
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                owner = self.class_of(self.frame_of(call))
                return None if owner is None else self._method(owner, name)
        return None

    def _method(self, owner: ast.ClassDef, name: str) -> FunctionNode | None:
        return next((one for one in owner.body if isinstance(one, FUNCTIONS) and one.name == name), None)

    def is_method(self, function: FunctionNode) -> bool:
        """Tell whether a function's first parameter is the object that it is called on."""
        return isinstance(self.parent(function), ast.ClassDef)

    def callers_of(self, function: FunctionNode) -> list[ast.Call]:
        """Give the calls of a function; none when it is decorated or handed on, so that others may call it too."""
        return self._callers.get(function, [])

    @cached_property
    def _callers(self) -> dict[ast.AST, list[ast.Call]]:
        callers: dict[ast.AST, list[ast.Call]] = {}
        called: set[ast.AST] = set()
        for call in self.calls():
            function = self.function_called(call)
            if function is not None and not getattr(function, "decorator_list", ()):
                callers.setdefault(function, []).append(call)
                called.add(call.func)
        handed_on = {
            function
            for node in self._nodes
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node not in called
            for function in [self._function_named(node)]
            if function is not None
        }
        constructed = self._constructors()
        callers |= {function: calls for function, calls in constructed.items() if calls}
        return {function: calls for function, calls in callers.items() if function not in handed_on}

    def _constructors(self) -> dict[ast.AST, list[ast.Call]]:
        """Find the calls of each class, which are the callers of its `__init__`."""
        found: dict[ast.AST, list[ast.Call]] = {}
        for call in self.calls():
            if isinstance(call.func, ast.Name) and (owner := self.class_named(call.func)) is not None:
                init = self._method(owner, "__init__")
                if init is not None:
                    found.setdefault(init, []).append(call)
        return found

    def _function_named(self, node: ast.Name) -> FunctionNode | None:
        binding = self.the_binding(node.id, node)
        if binding is None:
            return None
        if isinstance(binding.node, FUNCTIONS):
            return binding.node
        return binding.value if isinstance(binding.value, ast.Lambda) else None

    def class_of(self, function: ast.AST) -> ast.ClassDef | None:
        """Give the class that a method belongs to."""
        parent = self.parent(function)
        return parent if isinstance(parent, ast.ClassDef) else None

    @cached_property
    def classes(self) -> list[ast.ClassDef]:
        """All classes of the file."""
        return [node for node in self._nodes if isinstance(node, ast.ClassDef)]

    @cached_property
    def argparse_defaults(self) -> dict[str, ast.expr | Literal]:
        """Give the defaults of the arguments that the file's parsers know, those that are told once and for all."""
        return read_argparse_defaults(self)

    def class_named(self, node: ast.expr) -> ast.ClassDef | None:
        """Find the class of this file that a name stands for."""
        if not isinstance(node, ast.Name):
            return None
        binding = self.the_binding(node.id, node)
        return binding.node if binding is not None and isinstance(binding.node, ast.ClassDef) else None

    def the_binding(self, name: str, at: ast.AST) -> Binding | None:
        """Give the binding of a name that is bound exactly once."""
        bindings = self.bindings(name, at)
        return bindings[0] if len(bindings) == 1 else None

    def path_of(self, node: ast.expr, depth: int = 0) -> str | None:
        """Resolve a name or attribute to the dotted path that was imported; None when the file does not tell one."""
        if node not in self._paths:
            self._paths[node] = None  # what is asked for within its own answer has none
            self._paths[node] = None if depth > _LONGEST_PATH else self._find_path(node, depth)
        return self._paths[node]

    def _find_path(self, node: ast.expr, depth: int) -> str | None:
        match node:
            case ast.Attribute(value=owner, attr=attr):
                path = self.path_of(owner, depth + 1)
                return None if path is None else f"{path}.{attr}"
            case ast.Name(id=name):
                bindings = self.bindings(name, node)
                if not bindings:
                    return self._star_path(name) or imported_beside(self.source).get(name)
                paths = {self._binding_path(binding, depth) for binding in bindings} - {""}
                return _one_path(paths)
        return None

    def _binding_path(self, binding: Binding, depth: int) -> str | None:
        """Give the path of one binding: "" for `X = None`, the usual stand-in when an import failed."""
        if binding.path is not None:
            return binding.path
        if isinstance(binding.value, ast.Constant) and binding.value.value is None:
            return ""
        if isinstance(binding.value, ast.Name | ast.Attribute):
            return self.path_of(binding.value, depth + 1)
        return None

    def _star_path(self, name: str) -> str | None:
        """Resolve a name through `from peft import *`, when nothing else is imported like this."""
        alone = len(self.star_imports) == 1 and self.star_imports[0].module == "peft"
        return f"peft.{name}" if alone and name in _STARRED else None

    @cached_property
    def star_imports(self) -> list[ast.ImportFrom]:
        """The imports of everything that a module has."""
        return [node for node in self._nodes if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]

    @cached_property
    def patched_names(self) -> frozenset[str]:
        """Name the objects whose attributes may be set unseen: by `setattr`, by `vars(x).update`."""
        patched = set()
        for node in self._nodes:
            match node:
                case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=name), *_]):
                    patched.add(name)
                case ast.Call(func=ast.Name(id="vars"), args=[ast.Name(id=name)]) if self._may_be_changed(node):
                    patched.add(name)
                case ast.Attribute(value=ast.Name(id=name), attr="__dict__"):
                    patched.add(name)
                case ast.keyword(arg="namespace", value=ast.Name(id=name)):
                    patched.add(name)
        return frozenset(patched)

    def _may_be_changed(self, node: ast.Call) -> bool:
        """Tell whether `vars(x)` is kept or changed, not only read."""
        match self.parent(node):
            case ast.keyword() | ast.Call() | ast.Dict() | ast.FormattedValue():
                return False
            case ast.Attribute(attr=attr):
                return attr not in {"items", "keys", "values", "get", "copy"}
            case ast.Subscript(ctx=ast.Load()):
                return False
        return True

    @cached_property
    def may_search(self) -> bool:
        """Whether the file may ask a hyper-parameter search for values."""
        return any(sign in self.source.content for sign in (b"suggest_", b"tune", b"hyperopt"))

    @cached_property
    def may_sweep(self) -> bool:
        """Whether the file may start a sweep of wandb and run it."""
        return all(sign in self.source.content for sign in (b"wandb", b"sweep(", b"agent("))

    @cached_property
    def rewrites_names(self) -> bool:
        """Whether the file may bind any name of the module behind everybody's back: `exec`, `globals()`."""
        return any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"exec", "globals"}
            for node in self._nodes
        )

    @cached_property
    def assigned_attributes(self) -> frozenset[str]:
        """Name the attributes that the file assigns anywhere, so that reading one twice may give two values."""
        return frozenset(self._stores)

    def names_bound_before(self, node: ast.expr, call: ast.expr) -> bool:
        """Tell whether every name in an expression is bound, in a scope that the call sees, before the call."""
        call_start = self.start(call)
        for part in ast.walk(node):
            if not isinstance(part, ast.Name):
                continue
            bindings = self.bindings(part.id, call)
            if not bindings:
                if part.id not in {"len", "int", "round", "max", "min", "math"}:
                    return False
                continue
            if not all(_starts_before(binding.node, call_start, self) for binding in bindings):
                return False
        return True


def dotted(node: ast.expr) -> str:
    """Write a dotted name; empty for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < _LONGEST_PATH:
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _one_path(paths: set[str | None]) -> str | None:
    """Give the path that all ways lead to; the class of PEFT is the same under all its paths."""
    if len(paths) == 1:
        return paths.pop()
    known = {path for path in paths if path is not None and path.startswith("peft.")}
    same = len(known) == len(paths) and len({path.rpartition(".")[2] for path in known}) == 1
    return min(known) if same else None


def _starts_before(node: ast.AST, offset: int, file_map: FileMap) -> bool:
    line, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
    return line is None or column is None or file_map.source.offset_at(line, column) < offset


def _is_peft(path: str | None, name: str) -> bool:
    return path is not None and path.startswith("peft.") and path.rpartition(".")[2] == name


def _may_lie_in(inner: ast.AST, outer: ast.AST) -> bool:
    """Tell by their lines whether a node can be inside another: to go up from each of many is slow."""
    row = getattr(inner, "lineno", None)
    first, last = getattr(outer, "lineno", None), getattr(outer, "end_lineno", None)
    return (
        row is None
        or first is None
        or last is None
        or first <= row <= last
        or bool(getattr(outer, "decorator_list", ()))
    )


@lru_cache(maxsize=1)
def map_of(source: Source) -> FileMap:
    """Parse a file and map it; the last one is kept, since fixes are placed in what was just read.

    Raises:
        ReadError: the text is not Python.
    """
    return FileMap(source, parse(source))
