"""What binds a name in Python, and in which scope."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Final, TypeAlias

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
SCOPES: Final = (
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


def children_of(node: ast.AST) -> list[ast.AST]:
    """Give the nodes directly inside a node, without operators and contexts, which have no place in the text."""
    if isinstance(node, _LEAVES):
        return []
    if isinstance(node, ast.Attribute):
        return [node.value]
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [one for one in value if isinstance(one, ast.AST) and type(one) not in _MARKS]
        elif isinstance(value, ast.AST) and type(value) not in _MARKS:
            found.append(value)
    return found


_LEAVES: Final = (ast.Name, ast.Constant)
"""Two of three nodes; nothing stands inside them."""
_MARKS: Final = frozenset(
    kind
    for base in (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
    for kind in base.__subclasses__()
)


def belongs_outside(node: ast.AST, child: ast.AST) -> bool:
    """Tell whether a child of a function or class is evaluated outside of it: decorators, the return type, bases."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return child in node.decorator_list or child is node.returns
        case ast.ClassDef():
            return child in node.decorator_list or child in node.bases or child in node.keywords
    return False


BINDERS: Final = frozenset(
    {
        ast.Import,
        ast.ImportFrom,
        ast.Assign,
        ast.AnnAssign,
        ast.NamedExpr,
        ast.AugAssign,
        ast.For,
        ast.AsyncFor,
        ast.comprehension,
        ast.With,
        ast.AsyncWith,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.arg,
        ast.ExceptHandler,
        ast.MatchAs,
        ast.MatchStar,
        ast.MatchMapping,
        ast.Delete,
        ast.Global,
        ast.Nonlocal,
    }
)
"""What `collect` looks at: most nodes bind nothing."""


def collect(node: ast.AST, scope: Scope, declared: list[tuple[Scope, str, bool]]) -> None:
    """Note what a node binds in its scope; `declared` takes the names that it declares, and whether as global."""
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
