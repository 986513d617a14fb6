"""Sweeps of wandb in Python: what `wandb.config` holds in the function that an agent of a sweep runs.

`wandb.sweep({"method": …, "parameters": {…}})` and `wandb.agent(sweep_id, train)` of one file tell what `train` may be
given. What a sweep has chosen is locked: `config.init_r = 12` and `config.update(…)` change nothing (wandb 0.31.0).
A file with several sweeps, or that runs the function otherwise too, tells nothing.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.python_definitions import Opaque
from adalint.readers.python_scopes import FUNCTIONS
from adalint.spaces import SEARCH_METHODS, drawn_by_wandb
from adalint.values import UNKNOWN, Literal, Symbol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from adalint.readers.python_dicts import Item
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FunctionNode
    from adalint.values import Expr

_LONGEST_WAY: Final = 8
"""Names that stand for each other between a use and `wandb.config`."""


def swept(flow: Flow, owner: ast.expr, name: str) -> Expr | None:
    """Tell what a sweep gives under a name of `wandb.config`, and note its space; None for any other object."""
    if not flow.map.may_sweep:
        return None
    found = _config(flow, owner)
    parameter = None if found is None else _parameter(flow, found[0], (*found[1], name))
    if found is None or parameter is None:
        return None
    known = {key: _plain(item.expr) for key, item in _closed(flow, parameter.node).items()}
    if known.keys() == {"value"}:
        return Literal(known["value"]) if known["value"] is not UNKNOWN else None
    space = drawn_by_wandb(known)
    if space is None:
        return None
    # One name is one choice, wherever it is asked for.
    symbol = Symbol(".".join(("wandb.config", *found[1], name)))
    flow.spaces.setdefault(symbol, replace(space, span=parameter.key_span))
    return symbol


def asked_of_sweeps(flow: Flow, symbols: Collection[Symbol]) -> Iterator[tuple[Symbol, ast.expr]]:
    """Give the expressions of a file that a sweep answers with one of some choices."""
    names = {symbol.text.rpartition(".")[2] for symbol in symbols}
    for node in flow.map.nodes() if flow.map.may_sweep else ():
        match node:
            case (
                ast.Attribute(value=owner, attr=name)
                | ast.Subscript(value=owner, slice=ast.Constant(value=str(name)))
                | ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(name)), *_])
            ):
                answer = swept(flow, owner, name) if name in names else None
                if isinstance(answer, Symbol) and answer in symbols:
                    yield answer, node


def _plain(expr: Expr) -> Any:
    return expr.value if isinstance(expr, Literal) else UNKNOWN


def _config(flow: Flow, node: ast.expr) -> tuple[ast.Attribute, tuple[str, ...]] | None:
    """Find the `wandb.config` or `run.config` that an expression stands for, or is a part of, with the way to it."""
    way: tuple[str, ...] = ()
    for _ in range(_LONGEST_WAY):
        match node:
            case ast.Attribute(value=owner, attr="config") if _is_run(flow, owner):
                return node, way
            case ast.Attribute(value=owner, attr=key) | ast.Subscript(value=owner, slice=ast.Constant(value=str(key))):
                node, way = owner, (key, *way)
            case ast.Name(id=name):
                found = flow.definition(name, node)
                following = None if found is None else flow.follow(found)
                if following is None:
                    return None
                node = following
            case _:
                return None
    return None


def _is_run(flow: Flow, node: ast.expr) -> bool:
    """Tell whether an expression is wandb itself, or the run that `wandb.init` starts."""
    if flow.map.path_of(node) in {"wandb", "wandb.run"}:
        return True
    made: ast.expr | None = node
    if isinstance(node, ast.Name):
        found = flow.definition(node.id, node)
        if isinstance(found, Opaque) and isinstance(found.node, ast.With):
            made = next((one.context_expr for one in found.node.items if _names(one.optional_vars, node.id)), None)
        else:
            made = None if found is None else flow.follow(found)
    return isinstance(made, ast.Call) and flow.map.path_of(made.func) == "wandb.init"


def _names(target: ast.expr | None, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


def _parameter(flow: Flow, config: ast.Attribute, way: tuple[str, ...]) -> Item | None:
    """Find what the one sweep of a file says of a name, where its agent runs the function around a `wandb.config`."""
    sweeps = [call for call in flow.map.calls() if flow.map.path_of(call.func) == "wandb.sweep"]
    around = set(flow.map.parents(config))
    if len(sweeps) != 1 or not any(function in around for function in _run_by_agents(flow, sweeps[0])):
        return None
    given = next((one.value for one in sweeps[0].keywords if one.arg == "sweep"), None)
    space = _closed(flow, sweeps[0].args[0] if sweeps[0].args else given)
    method = space.get("method")
    if method is None or not isinstance(method.expr, Literal) or method.expr.value not in SEARCH_METHODS:
        return None
    for name in way:
        inner = space.get("parameters")
        parameter = None if inner is None else _closed(flow, inner.node).get(name)
        if parameter is None:
            return None
        space = _closed(flow, parameter.node)
    return parameter


def _closed(flow: Flow, node: ast.expr | None) -> Mapping[str, Item]:
    """Give the entries of a dict that holds nothing else; none of any other expression."""
    entries = None if node is None else flow.mapping(node)
    return {} if entries is None or entries.open else entries.items


def _run_by_agents(flow: Flow, sweep: ast.Call) -> Iterator[FunctionNode]:
    """Give the functions that an agent of the sweep runs, and nobody else does."""
    handed: list[ast.expr] = []
    for call in flow.map.calls():
        if flow.map.path_of(call.func) != "wandb.agent":
            continue
        given = dict(zip(("sweep_id", "function"), call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
        sweep_id, function = given.get("sweep_id"), given.get("function")
        if sweep_id is None or function is None or flow.target(sweep_id) is not sweep:
            return
        handed.append(function)
    for name in handed:
        binding = flow.map.the_binding(name.id, name) if isinstance(name, ast.Name) else None
        if binding is None or not isinstance(binding.node, FUNCTIONS) or binding.node.decorator_list:
            continue
        uses = [use for use in flow.map.uses(binding.node.name, name) if isinstance(use.ctx, ast.Load)]
        if all(use in handed for use in uses):
            yield binding.node
