"""What a hyper-parameter search may choose, judged at its extremes.

A value that a search chooses is a Symbol: nothing is known of it, but that it is the same wherever it stands. Its
Space holds choices that the search can really make: the ends of a range, the least and the greatest of some options. A
corner is one such choice for several symbols, so that what is wrong there can come about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from adalint.values import UNKNOWN, Literal, Operation, Symbol, is_number, operate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from adalint.site import Site
    from adalint.source import Span
    from adalint.values import Expr, Number, Value

MAX_CORNERS: Final = 64
_LARGEST: Final = 1e15
"""Nobody searches beyond this; fractions are exact enough below it."""
_INSIDE: Final = 100
"""The ends of a range that never gives them are taken one part of so many inside of it."""

_TOGETHER: Final = (("init_r", "target_r"), ("tinit", "tfinal", "deltaT", "total_step"))
"""Fields that PEFT compares with each other."""


@dataclass(frozen=True, slots=True)
class Space:
    """The choices of a search at which a configuration is judged, the extreme ones, in order and without repeats."""

    points: tuple[Any, ...]
    span: Span | None = field(default=None, compare=False)
    """Where it is written."""


def choice(options: Iterable[Any]) -> Space | None:
    """Give the least and the greatest number of some options, and each that is no number; lists are left out."""
    known = list(options)
    numbers = [option for option in known if _are_finite(option)]
    others = [option for option in known if option is None or isinstance(option, bool | str)]
    return _space([*_ends(numbers), *others])


def steps(low: Number, high: Number, step: Number = 1) -> Space | None:
    """Give the ends of `low`, `low + step` … up to `high`, which is reached only where whole steps lead there."""
    if not (_are_finite(low, high, step) and step > 0 and low <= high):
        return None
    if isinstance(low, int) and isinstance(high, int) and isinstance(step, int):
        return _space([low, low + (high - low) // step * step])
    if step < 1 / _LARGEST:
        return None
    count = math.floor((high - low) / step + 1e-9)
    return _space([low, round(low + count * step, 12)])


def closed(low: Number, high: Number) -> Space | None:
    """Give the ends of a range of fractions that holds both of them."""
    return _space([float(low), float(high)]) if _are_finite(low, high) and low <= high else None


def inside(low: Number, high: Number) -> Space | None:
    """Give what lies close to the ends of a range of fractions that may never give the ends themselves."""
    if not (_are_finite(low, high) and low < high):
        return None
    margin = (high - low) / _INSIDE
    if margin < 1 / _LARGEST:
        return None
    return _space([_rounded(low + margin, margin), _rounded(high - margin, margin)])


def rounded(low: Number, high: Number, step: Number) -> Space | None:
    """Give the ends of what is drawn evenly from a range and rounded to whole steps, which may lie outside of it."""
    if not (_are_finite(low, high, step) and step > 0 and low < high):
        return None
    if step < 1 / _LARGEST:
        return None
    first, last = math.floor(low / step + 0.5), math.ceil(high / step - 0.5)
    return _space([float(first * step), float(last * step)]) if first <= last else None


def drawn_by_ray(kind: str, low: Number, high: Number, size: Number | None = None) -> Space | None:
    """Give the ends of a range by the name that Ray Tune has for it: whole numbers stop below `high` unless rounded."""
    match kind:
        case "randint" | "lograndint":
            return steps(low, high - 1)
        case "uniform" | "loguniform":
            return inside(low, high)
        case "quniform" | "qloguniform" if size is not None:
            return steps(float(low), float(high), size)
        case "qrandint" | "qlograndint" if size and low % size == 0 == high % size:
            return steps(low, high, size)
    return None


SEARCH_METHODS: Final = frozenset({"grid", "random", "bayes"})
"""The ways in which a sweep of wandb chooses."""


def drawn_by_wandb(spec: Mapping[str, Any]) -> Space | None:
    """Give the choices of a parameter of a sweep of wandb: `{"values": [4, 8]}`, `{"min": 4, "max": 16}`."""
    if "values" in spec:
        options = spec["values"]
        if not isinstance(options, list) or not spec.keys() <= {"values", "distribution"}:
            return None
        return choice(one for one in options if is_number(one))
    low: Any = spec.get("min")
    high: Any = spec.get("max")
    size: Any = spec.get("q")
    if not is_number(low) or not is_number(high):
        return None
    match spec.get("distribution"):
        case None | "int_uniform" if isinstance(low, int) and isinstance(high, int):
            return steps(low, high)
        case None | "uniform" | "log_uniform_values" | "inv_log_uniform_values":
            return inside(low, high)
        case "q_uniform" | "q_log_uniform_values" if size is None or is_number(size):
            return _drawn_whole(rounded(low, high, 1 if size is None else size), low, high, size)
    return None


def _drawn_whole(space: Space | None, *numbers: Number | None) -> Space | None:
    """Give whole numbers where the bounds and the step are such: wandb draws them as integers."""
    if space is None or any(isinstance(number, float) for number in numbers):
        return space
    return replace(space, points=tuple(int(point) for point in space.points))


def _are_finite(*numbers: Number) -> bool:
    return all(is_number(number) and abs(number) < _LARGEST for number in numbers)


def _rounded(number: float, margin: float) -> float:
    """Write a number near the end of a range with as few digits as keep it there."""
    return round(number, max(0, 1 - math.floor(math.log10(margin))))


def _ends(numbers: Sequence[Number]) -> list[Number]:
    return [min(numbers), max(numbers)] if numbers else []


def _space(points: list[Any]) -> Space | None:
    distinct = list({(type(point), point): point for point in points}.values())
    return Space(tuple(distinct)) if distinct else None


def searched_symbols(expr: Expr, spaces: Mapping[Symbol, Space]) -> frozenset[Symbol]:
    """Name the choices of a search that an expression depends on."""
    match expr:
        case Symbol():
            return frozenset({expr}) if expr in spaces else frozenset()
        case Operation(_, operands):
            return frozenset().union(*(searched_symbols(operand, spaces) for operand in operands))
    return frozenset()


def corners(site: Site) -> Iterator[dict[Symbol, Any]]:
    """Give the corners at which a site is judged: all, or, when they are many, those of fields that belong together."""
    depends = {name: searched_symbols(value.expr, site.spaces) for name, value in site.values.items()}
    used = frozenset().union(*depends.values()) if depends else frozenset()
    if _count(used, site.spaces) <= MAX_CORNERS:
        yield from _corners_of(used, site.spaces)
        return
    for group in (*_TOGETHER, *((name,) for name in depends)):
        joined = frozenset().union(*(depends.get(name, frozenset()) for name in group))
        if _count(joined, site.spaces) <= MAX_CORNERS:
            yield from _corners_of(joined, site.spaces)


def _count(symbols: Iterable[Symbol], spaces: Mapping[Symbol, Space]) -> int:
    return math.prod(len(spaces[symbol].points) for symbol in symbols)


def _corners_of(symbols: Iterable[Symbol], spaces: Mapping[Symbol, Space]) -> Iterator[dict[Symbol, Any]]:
    ordered = sorted(symbols, key=lambda symbol: (symbol.origin, symbol.text))
    if ordered:
        for points in product(*(spaces[symbol].points for symbol in ordered)):
            yield dict(zip(ordered, points, strict=True))


def at_corner(site: Site, corner: Mapping[Symbol, Any]) -> Site:
    """Give a site as it is when the search has chosen."""
    values = {name: _value_at(value, corner) for name, value in site.values.items()}
    return replace(site, values=values, spaces={})


def _value_at(value: Value, corner: Mapping[Symbol, Any]) -> Value:
    expr = _chosen(value.expr, corner)
    if expr == value.expr:
        return value
    return replace(value, expr=expr, text=repr(expr.value) if isinstance(expr, Literal) else value.text)


def _chosen(expr: Expr, corner: Mapping[Symbol, Any]) -> Expr:
    match expr:
        case Symbol() if expr in corner:
            return Literal(corner[expr])
        case Operation(name, operands):
            parts = [_chosen(operand, corner) for operand in operands]
            return UNKNOWN if any(part is UNKNOWN for part in parts) else operate(name, *parts)
    return expr
