"""Suggestions of a hyper-parameter search in Python: `trial.suggest_int("init_r", 4, 16)`, `tune.choice([4, 8])`.

A suggestion is worth a Symbol; what it may choose goes beside it, into `Flow.spaces`. Bounds that are no numbers, which
may depend on what was chosen before, make it a name like any other.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.readers.python_scopes import FUNCTIONS
from adalint.readers.python_shapes import last_name
from adalint.spaces import Space, choice, closed, drawn_by_ray, inside, rounded, steps
from adalint.values import Literal, Symbol, is_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.readers.python_flow import Flow
    from adalint.values import Number

_OPTUNA: Final = frozenset(
    {
        "suggest_int",
        "suggest_float",
        "suggest_categorical",
        "suggest_uniform",
        "suggest_loguniform",
        "suggest_discrete_uniform",
    }
)
_TUNE: Final = ("ray.tune.", "ray.tune.search.sample.")
_HYPEROPT: Final = "hyperopt.hp."


def suggestion(flow: Flow, node: ast.Call) -> Symbol | None:
    """Read a call that a search answers, and note what it may answer; None for any other call."""
    if not flow.map.may_search:
        return None
    found = _of_optuna(flow, node) or _of_package(flow, node)
    if found is None:
        return None
    symbol, space = found
    if space is None or flow.spaces.get(symbol, space) != space:
        # Optuna answers the first of two ranges under one name.
        flow.clashing.add(symbol)
    else:
        flow.spaces.setdefault(symbol, replace(space, span=flow.map.span(node)))
    return symbol


def _of_optuna(flow: Flow, node: ast.Call) -> tuple[Symbol, Space | None] | None:
    kind = last_name(node.func)
    if kind not in _OPTUNA or not isinstance(node.func, ast.Attribute) or not _is_trial(flow, node.func.value):
        return None
    given = _arguments(node, ("name", "choices" if kind == "suggest_categorical" else "low", "high", "q"))
    match given.pop("name", None):
        case ast.Constant(value=str(name)):
            # One name is one choice, wherever it is asked for.
            symbol = Symbol(_first_text(flow, name, node))
            return symbol, _optuna_space(flow, kind, given)
    return None


def _is_trial(flow: Flow, node: ast.expr) -> bool:
    """Tell whether an expression is plainly a trial of Optuna: a parameter that says so by its name or its type."""
    if not isinstance(node, ast.Name):
        return False
    binding = flow.map.the_binding(node.id, node)
    if binding is None or not isinstance(binding.node, ast.arg):
        return False
    annotation = binding.node.annotation
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        named = annotation.value.rpartition(".")[2]
    else:
        named = last_name(annotation) if annotation is not None else ""
    return node.id == "trial" or named in {"Trial", "BaseTrial"}


def _first_text(flow: Flow, name: str, node: ast.Call) -> str:
    """Give the first call of the file that asks a trial for a name."""
    for call in flow.map.calls():
        if last_name(call.func) not in _OPTUNA:
            continue
        match _arguments(call, ("name",)).get("name"):
            case ast.Constant(value=str(other)) if other == name:
                return ast.unparse(call)
    return ast.unparse(node)


def _optuna_space(flow: Flow, kind: str, given: Mapping[str, ast.expr]) -> Space | None:
    if kind == "suggest_categorical":
        return _choice(flow, given.get("choices"))
    low, high = _number(flow, given.get("low")), _number(flow, given.get("high"))
    if low is None or high is None:
        return None
    step = given.get("step", given.get("q"))
    if isinstance(step, ast.Constant) and step.value is None:
        step = None
    size = _number(flow, step)
    if step is not None and size is None:
        return None
    match kind:
        case "suggest_int":
            return steps(low, high, 1 if size is None else size)
        case "suggest_uniform" | "suggest_loguniform":
            return inside(low, high)
        case _ if size is not None:
            return steps(float(low), float(high), size)
    return closed(low, high)


def _of_package(flow: Flow, node: ast.Call) -> tuple[Symbol, Space | None] | None:
    path = flow.map.path_of(node.func) or ""
    package, _, kind = path.rpartition(".")
    if f"{package}." in _TUNE:
        # Ray draws anew for each key, so that one object under two keys is two choices.
        if not isinstance(flow.map.parent(node), ast.Dict | ast.keyword):
            return None
        space = _tune_space(flow, kind, node)
    elif f"{package}." == _HYPEROPT:
        space = _hyperopt_space(flow, kind, node)
    else:
        return None
    return Symbol(ast.unparse(node), flow.origin(node)), space


def _tune_space(flow: Flow, kind: str, node: ast.Call) -> Space | None:
    first = {"choice": "categories", "grid_search": "values"}.get(kind, "lower")
    given = _arguments(node, (first, "upper", "base" if kind.startswith("log") else "q"))
    if kind in {"choice", "grid_search"}:
        return _choice(flow, given.get(first))
    low, high, size = (_number(flow, given.get(name)) for name in ("lower", "upper", "q"))
    if low is None or high is None:
        return None
    return drawn_by_ray(kind, low, high, size)


def _hyperopt_space(flow: Flow, kind: str, node: ast.Call) -> Space | None:
    first = {"choice": "options", "pchoice": "p_options"}.get(kind, "low")
    given = _arguments(node, ("label", first, "high", "q"))
    if kind == "choice":
        return _choice(flow, given.get(first))
    low, high, size = (_number(flow, given.get(name)) for name in ("low", "high", "q"))
    if kind == "randint":
        # With one bound it counts from 0.
        return None if low is None else steps(0, low - 1) if "high" not in given else _up_to(low, high)
    if low is None or high is None:
        return None
    match kind:
        case "uniformint":
            return steps(low, high)
        case "uniform":
            return inside(low, high)
        case "quniform" if size is not None:
            return rounded(low, high, size)
    return None


def _up_to(low: Number, high: Number | None) -> Space | None:
    return None if high is None else steps(low, high - 1)


def _arguments(node: ast.Call, names: tuple[str, ...]) -> dict[str, ast.expr]:
    """Give the arguments of a call by name, none of them when some are not to be seen."""
    if any(isinstance(arg, ast.Starred) for arg in node.args) or any(one.arg is None for one in node.keywords):
        return {}
    given = dict(zip(names, node.args, strict=False))
    return given | {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}


def _number(flow: Flow, node: ast.expr | None) -> Number | None:
    worth = None if node is None else flow.value(node)
    return worth.value if isinstance(worth, Literal) and is_number(worth.value) else None


def _choice(flow: Flow, node: ast.expr | None) -> Space | None:
    worth = None if node is None else flow.value(node)
    return choice(worth.value) if isinstance(worth, Literal) and isinstance(worth.value, list) else None


_WRAPPERS: Final = frozenset({"with_resources", "with_parameters"})


def searched_argument(flow: Flow, function: ast.AST) -> ast.expr | None:
    """Find the space whose choices a function is called with: `Tuner(train, param_space=…)`, `fmin(train, space)`.

    None unless the file hands the function to one search, and to nothing else.
    """
    if not isinstance(function, FUNCTIONS) or not flow.map.may_search:
        return None
    named = [use for use in flow.map.uses(function.name, function) if isinstance(use.ctx, ast.Load)]
    if len(named) != 1 or function.decorator_list:
        return None
    handed: ast.AST = named[0]
    call = flow.map.parent(handed)
    if isinstance(call, ast.Call) and last_name(call.func) in _WRAPPERS and call.args[:1] == [handed]:
        handed, call = call, flow.map.parent(call)
    if isinstance(call, ast.keyword):
        call = flow.map.parent(call)
    return _space_of(flow, call) if isinstance(call, ast.Call) else None


def _space_of(flow: Flow, call: ast.Call) -> ast.expr | None:
    package, _, kind = (flow.map.path_of(call.func) or "").rpartition(".")
    if package.startswith("ray.tune") or package == "ray.tune":
        given = _arguments(call, ("trainable",))
        return given.get({"Tuner": "param_space", "run": "config"}.get(kind, ""))
    if package.partition(".")[0] == "hyperopt" and kind == "fmin":
        return _arguments(call, ("fn", "space")).get("space")
    return None
