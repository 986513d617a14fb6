"""Which name means what: scopes, bindings and dotted paths of one Python file."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from adalint.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.source import Source

ScopeNode: TypeAlias = (
    ast.Module
    | ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.Lambda
    | ast.ClassDef
    | ast.ListComp
    | ast.SetComp
    | ast.DictComp
    | ast.GeneratorExp
)
_SCOPES: Final = (
    ast.Module,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ClassDef,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


@dataclass(frozen=True, slots=True)
class Binding:
    """One place that binds a name: `value` for a plain assignment, `path` for an import, neither for all else."""

    node: ast.AST
    value: ast.expr | None = None
    path: str | None = None


@dataclass(slots=True)
class Scope:
    """The names that one function, class, comprehension or module binds."""

    node: ScopeNode
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    """Names declared `global` or `nonlocal`."""

    def bind(self, name: str, binding: Binding) -> None:
        """Record a binding."""
        self.bindings.setdefault(name, []).append(binding)


class FileMap:
    """The syntax tree of one file with its scopes; built once, asked often."""

    def __init__(self, source: Source, tree: ast.Module) -> None:
        self.source = source
        self.tree = tree
        self._parent: dict[ast.AST, ast.AST] = {}
        self._scope: dict[ast.AST, Scope] = {}
        self._nodes: list[ast.AST] = []
        self._walk()

    def _walk(self) -> None:
        module = Scope(self.tree, None)
        pending: list[tuple[ast.AST, Scope]] = [(self.tree, module)]
        declared: list[tuple[Scope, str, bool]] = []
        while pending:
            node, scope = pending.pop()
            self._nodes.append(node)
            self._scope[node] = scope
            _collect(node, scope, declared)
            inner = Scope(node, scope) if isinstance(node, _SCOPES) and node is not self.tree else scope
            for child in ast.iter_child_nodes(node):
                self._parent[child] = node
                pending.append((child, scope if inner is not scope and _belongs_outside(node, child) else inner))
        for scope, name, is_global in declared:
            outer = module if is_global else scope.parent
            while outer is not None and not is_global and name not in outer.bindings:
                outer = outer.parent
            for binding in scope.bindings.pop(name, []):
                (outer or module).bind(name, binding)

    def nodes(self) -> Iterator[ast.AST]:
        """Give every node, in no particular order."""
        return iter(self._nodes)

    def calls(self) -> list[ast.Call]:
        """Give every call, in the order of the text."""
        calls = [node for node in self._nodes if isinstance(node, ast.Call)]
        return sorted(calls, key=lambda call: (call.lineno, call.col_offset, -(call.end_lineno or 0)))

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
        scope: Scope | None = self._scope[at]
        first = True
        while scope is not None:
            visible = first or not isinstance(scope.node, ast.ClassDef)
            if visible and name in scope.bindings:
                return scope.bindings[name]
            first = False
            scope = scope.parent
        return []

    def the_binding(self, name: str, at: ast.AST) -> Binding | None:
        """Give the binding of a name that is bound exactly once."""
        bindings = self.bindings(name, at)
        return bindings[0] if len(bindings) == 1 else None

    def path_of(self, node: ast.expr, depth: int = 0) -> str | None:
        """Resolve a name or attribute to the dotted path that was imported; None when the file does not tell one."""
        if depth > 20:
            return None
        match node:
            case ast.Attribute(value=owner, attr=attr):
                path = self.path_of(owner, depth + 1)
                return None if path is None else f"{path}.{attr}"
            case ast.Name(id=name):
                bindings = self.bindings(name, node)
                if not bindings:
                    return self._star_path(name)
                paths = {self._binding_path(binding, depth) for binding in bindings} - {""}
                return paths.pop() if len(paths) == 1 else None
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
        return next((f"{module}.{name}" for module in self._star_imports if module.split(".")[0] == "peft"), None)

    @cached_property
    def _star_imports(self) -> list[str]:
        return [
            node.module
            for node in self._nodes
            if isinstance(node, ast.ImportFrom) and node.module and node.level == 0 and node.names[0].name == "*"
        ]

    @cached_property
    def assigned_attributes(self) -> frozenset[str]:
        """Name the attributes that the file assigns anywhere, so that reading one twice may give two values."""
        return frozenset(
            node.attr for node in self._nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
        )

    def names_bound_before(self, node: ast.expr, call: ast.Call) -> bool:
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


def _starts_before(node: ast.AST, offset: int, file_map: FileMap) -> bool:
    line, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
    return line is None or column is None or file_map.source.offset_at(line, column) < offset


def _belongs_outside(node: ast.AST, child: ast.AST) -> bool:
    """Tell whether a child of a scope is evaluated outside of it: decorators, defaults, bases, the first iterable."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return child in node.decorator_list or child is node.returns
        case ast.ClassDef():
            return child in node.decorator_list or child in node.bases or child in node.keywords
    return False


def _collect(node: ast.AST, scope: Scope, declared: list[tuple[Scope, str, bool]]) -> None:
    match node:
        case ast.Import(names=names):
            for alias in names:
                bound = alias.asname or alias.name.partition(".")[0]
                scope.bind(bound, Binding(node, path=alias.name if alias.asname else bound))
        case ast.ImportFrom(module=module, names=names, level=level):
            for alias in names:
                path = f"{module}.{alias.name}" if module and level == 0 else f".{alias.name}"
                scope.bind(alias.asname or alias.name, Binding(node, path=path))
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _bind_target(target, value, node, scope)
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            scope.bind(name, Binding(node, value=value))
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            _function_scope(scope).bind(name, Binding(node, value=value))
        case ast.AugAssign(target=ast.Name(id=name)):
            scope.bind(name, Binding(node))
        case ast.For(target=target) | ast.AsyncFor(target=target) | ast.comprehension(target=target):
            _bind_target(target, None, node, scope)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if item.optional_vars is not None:
                    _bind_target(item.optional_vars, None, node, scope)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            scope.bind(name, Binding(node))
        case ast.arg(arg=name):
            scope.bind(name, Binding(node))
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            scope.bind(name, Binding(node))
        case ast.MatchMapping(rest=str(name)):
            scope.bind(name, Binding(node))
        case ast.Delete(targets=targets):
            for target in targets:
                _bind_target(target, None, node, scope)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            declared.extend((scope, name, isinstance(node, ast.Global)) for name in names)


def _bind_target(target: ast.expr, value: ast.expr | None, node: ast.AST, scope: Scope) -> None:
    match target:
        case ast.Name(id=name):
            scope.bind(name, Binding(node, value=value))
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            values: list[ast.expr | None] = [None] * len(parts)
            match value:
                case ast.Tuple(elts=given) | ast.List(elts=given) if len(given) == len(parts) and not any(
                    isinstance(part, ast.Starred) for part in (*parts, *given)
                ):
                    values = list(given)
            for part, one in zip(parts, values, strict=True):
                _bind_target(part, one, node, scope)
        case ast.Starred(value=inner):
            _bind_target(inner, None, node, scope)


def _function_scope(scope: Scope) -> Scope:
    """Find the scope that a walrus binds in: the one around the comprehension."""
    while isinstance(scope.node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) and scope.parent:
        scope = scope.parent
    return scope
