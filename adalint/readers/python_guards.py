"""What stands between the choice of a search and the configuration: tests, answers to exceptions, limits of the search.

A choice that the file looks at, in any test or in a function that is not here, may never reach PEFT. Names are taken by
their words, wherever they stand, so that in doubt a choice counts as looked at.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.readers.python_scopes import FUNCTIONS
from adalint.readers.python_shapes import last_name, parameters
from adalint.readers.python_spaces import suggestion
from adalint.readers.python_sweeps import asked_of_sweeps
from adalint.spaces import searched_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FileMap
    from adalint.spaces import Space
    from adalint.values import Symbol, Value

_LIMITS: Final = frozenset({"GridSampler", "PartialFixedSampler", "constraints_func", "catch"})
"""What keeps a search of Optuna from some choices, or lets it go on after a trial that fails."""

_TELLS: Final = frozenset(
    {
        "print",
        "debug",
        "info",
        "warning",
        "warn",
        "log",
        "set_user_attr",
        "set_system_attr",
        "log_param",
        "log_params",
        "log_metrics",
        "init",
        "update",
        "append",
        "add",
        "report",
        "write",
        "dump",
        "seed",
        "set_seed",
        "agent",
    }
)
"""Calls that tell or keep what they are given, and do not judge it."""

_READS: Final = frozenset({"items", "values", "get", "copy", "pop"})


def free_spaces(flow: Flow, values: Mapping[str, Value], made: ast.expr) -> dict[Symbol, Space]:
    """Give the spaces of what the values depend on, those aside whose choices the file may keep from PEFT."""
    known = {symbol: space for symbol, space in flow.spaces.items() if symbol not in flow.clashing}
    fields: dict[Symbol, set[str]] = {}
    for name, value in values.items():
        for symbol in searched_symbols(value.expr, known):
            fields.setdefault(symbol, set()).add(name)
    if not fields or _is_limited(flow.map) or _is_tried(flow.map, made):
        return {}
    asked: dict[Symbol, set[ast.AST]] = {}
    for call in flow.map.calls():
        made_by = suggestion(flow, call)
        if made_by in fields:
            asked.setdefault(made_by, set()).add(call)
    for symbol, node in asked_of_sweeps(flow, fields.keys()):
        asked.setdefault(symbol, set()).add(node)
    return {
        symbol: known[symbol]
        for symbol, names in fields.items()
        if not _Trail(flow.map, asked.get(symbol, set()), names, made).is_looked_at()
    }


def _is_limited(file_map: FileMap) -> bool:
    return any(
        (isinstance(node, ast.Name | ast.Attribute) and last_name(node) in _LIMITS)
        or (isinstance(node, ast.keyword) and node.arg in _LIMITS)
        for node in file_map.nodes()
    )


def _is_tried(file_map: FileMap, made: ast.expr) -> bool:
    """Tell whether an exception of the constructor is answered where it is called."""
    child: ast.AST = made
    for parent in file_map.parents(made):
        if isinstance(parent, ast.Try) and child in parent.body and parent.handlers:
            return True
        child = parent
    return False


class _Trail:
    """The words under which one choice goes through a file: names, attributes, keys."""

    def __init__(self, file_map: FileMap, asked: set[ast.AST], fields: set[str], made: ast.expr) -> None:
        self._map = file_map
        self._asked = asked
        self._made = made
        self._names: set[str] = set()
        """Names of variables and functions that hold it, or something that holds it."""
        self._words = set(fields)
        """Fields, attributes and keys that are it."""
        for call in asked:
            match call:
                case ast.Call(args=[ast.Constant(value=str(name)), *_]) if last_name(call.func).startswith("suggest_"):
                    self._words.add(name)
                case ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
                    self._words.add(name)
        self._follow()

    def is_looked_at(self) -> bool:
        """Tell whether a test of the file may ask for it, or a call of something unseen may."""
        return any(self._holds(test) for test in self._tests()) or any(
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and self._may_judge(node.value)
            for node in self._map.nodes()
        )

    def _tests(self) -> Iterator[ast.AST]:
        for node in self._map.nodes():
            match node:
                case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                    yield test
                case ast.Match(subject=subject):
                    yield subject
                case ast.BoolOp(values=[*tests, _]) | ast.comprehension(ifs=tests):
                    yield from tests

    def _may_judge(self, call: ast.Call) -> bool:
        """Tell whether a call for its effect is given the choice, and neither is seen here nor only tells it."""
        if last_name(call.func) in _TELLS or self._map.function_called(call) is not None:
            return False
        return any(self._holds(arg) for arg in (*call.args, *(keyword.value for keyword in call.keywords)))

    def _follow(self) -> None:
        """Collect names until there are no more."""
        before = -1
        while before != (before := len(self._names) + len(self._words)):
            for node in self._map.nodes():
                match node:
                    case ast.Assign(targets=targets, value=value) if self._holds(value):
                        for target in targets:
                            self._take(target)
                    case (
                        ast.AnnAssign(target=target, value=ast.expr() as value)
                        | ast.NamedExpr(target=target, value=value)
                        | ast.AugAssign(target=target, value=value)
                        | ast.For(target=target, iter=value)
                        | ast.comprehension(target=target, iter=value)
                    ) if self._holds(value):
                        self._take(target)
                    case ast.Dict(keys=keys, values=values):
                        pairs = zip(keys, values, strict=True)
                        self._words |= {
                            key.value
                            for key, value in pairs
                            if isinstance(key, ast.Constant) and isinstance(key.value, str) and self._holds(value)
                        }
                    case ast.Return(value=ast.expr() as value) if self._holds(value):
                        function = next((one for one in self._map.parents(node) if isinstance(one, FUNCTIONS)), None)
                        self._names |= set() if function is None else {function.name}
                    case ast.Call() if node is not self._made:
                        self._hand_on(node)

    def _take(self, target: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self._names.add(name)
            case ast.Attribute(attr=attr):
                self._words.add(attr)
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                self._names.add(name)
                if isinstance(index, ast.Constant) and isinstance(index.value, str):
                    self._words.add(index.value)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._take(part)
            case ast.Starred(value=inner):
                self._take(inner)

    def _hand_on(self, call: ast.Call) -> None:
        """Follow it into the parameters of a function of this file, and into keywords of a class or dict of it."""
        self._words |= {
            keyword.arg for keyword in call.keywords if keyword.arg is not None and self._holds(keyword.value)
        }
        function = self._map.function_called(call)
        if function is None:
            return
        names = parameters(function)[1 if self._map.is_method(function) else 0 :]
        self._names |= {name for name, arg in zip(names, call.args, strict=False) if self._holds(arg)}
        self._names |= {one.arg for one in call.keywords if one.arg in names and self._holds(one.value)}

    def _holds(self, node: ast.AST) -> bool:
        """Tell whether an expression gives it, or something that holds it; what is made of a text does not."""
        if node in self._asked:
            return True
        match node:
            case ast.Name(id=name):
                return name in self._names or name in self._words
            case ast.Attribute(value=owner, attr=attr):
                return attr in self._words or (attr in _READS and self._holds(owner))
            case ast.Subscript(value=owner, slice=ast.Constant(value=str(key))):
                return key in self._words
            case ast.Constant(value=value):
                return isinstance(value, str) and value in self._words
            case ast.JoinedStr():
                return False
            case ast.Call():
                return node is not self._made and self._call_holds(node)
            case ast.Lambda():
                return False
        return any(self._holds(part) for part in ast.iter_child_nodes(node))

    def _call_holds(self, call: ast.Call) -> bool:
        function = self._map.function_called(call)
        if function is not None:
            return self._holds(call.func)
        owner = self._map.class_named(call.func)
        if owner is None and last_name(call.func)[:1].isupper():
            return False  # an object of a class that is elsewhere, such as a Trainer
        return self._holds(call.func) or any(
            self._holds(arg) for arg in (*call.args, *(keyword.value for keyword in call.keywords))
        )
