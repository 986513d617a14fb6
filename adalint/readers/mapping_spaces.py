"""Search spaces in JSON and YAML: ranges under an `adalora` key, sweeps of wandb, parameters of a sweeper of Hydra.

What the code behind a search space adds to it is not told, so that what is not written is unknown, and of what is
written only numbers count.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.mapping_signs import DISCRIMINATOR, METHODS, OWN_FIELDS, names_of, text_of, value_of
from adalint.readers.tree import Mapping, content, nodes
from adalint.schema import FIELDS
from adalint.site import Site, Surface
from adalint.spaces import SEARCH_METHODS, Space, choice, drawn_by_ray, drawn_by_wandb, inside, steps
from adalint.values import UNKNOWN, Literal, Symbol, Value, is_number

if TYPE_CHECKING:
    from collections import abc

    from adalint.readers.tree import Entry, Node, Tree
    from adalint.source import Source, Span
    from adalint.values import Expr, Number

Spaces = dict[Symbol, Space]

SEARCHED: Final = OWN_FIELDS | {"lora_alpha", "lora_dropout"}
"""Fields that a search space without further signs may mean: optimizers have betas, too."""

_RANGE_KEYS: Final = frozenset({"min", "max", "low", "high", "step", "log", "type", "distribution", "default"})
_OPTION_KEYS: Final = frozenset({"values", "choices", "type", "distribution", "default"})
_WHOLE: Final = frozenset({"int", "integer", "int_uniform", "randint"})
_FRACTIONS: Final = frozenset({"float", "uniform", "loguniform", "log_uniform", "log_uniform_values"})
_OPTIONS: Final = frozenset({"categorical", "choice", "grid", "grid_search"})


def searched_value(source: Source, entry: Entry, space: Space | None) -> tuple[Value, Spaces]:
    """Read an entry that holds a space: its value is a symbol of its own, wherever else the same space is used."""
    node = entry.value
    symbol = Symbol(source.slice(node.span), entry.key.span.start)
    value = Value(symbol if space is not None else UNKNOWN, node.span, entry.key.span, symbol.text)
    return value, {} if space is None else {symbol: replace(space, span=entry.key.span)}


def _constant(source: Source, entry: Entry, value: Any) -> Value:
    # `total_step: null` is for the code that draws to fill in.
    expr: Expr = Literal(value) if is_number(value) else UNKNOWN
    return Value(expr, entry.value.span, entry.key.span, source.slice(entry.value.span))


# ── ranges under an `adalora` key ────────────────────────────────────────────────────────────────────────────────────


def block_of_ranges(source: Source, node: Mapping, span: Span, head: Span) -> Site | None:
    """Read a mapping of PEFT's names whose values are ranges: `{min: 4, max: 16}`, `{choices: [4, 8]}`."""
    values: dict[str, Value] = {}
    spaces: Spaces = {}
    for name, field in node.fields.items():
        if not isinstance(name, str) or name not in FIELDS:
            continue
        inner = content(field.entry.value)
        if isinstance(inner, Mapping):
            values[name], found = searched_value(source, field.entry, _range(inner, name))
            spaces |= found
        else:
            values[name] = _constant(source, field.entry, field.entry.value.value)
    return _site(source, span, head, values, spaces) if spaces else None


def _site(source: Source, span: Span, head: Span, values: dict[str, Value], spaces: Spaces) -> Site:
    """Make a Site of a space: fields of AdaLoRA that are not written may be set by the code that reads it."""
    elsewhere = OWN_FIELDS - values.keys()
    return Site(source, Surface.SEARCH, span, head, values, changed_later=elsewhere, spaces=spaces)


def _range(node: Mapping, name: str) -> Space | None:
    names = names_of(node)
    kind = text_of(node, "type") or text_of(node, "distribution")
    if names <= _OPTION_KEYS and len(names & {"values", "choices"}) == 1 and kind in {None, *_OPTIONS}:
        return _numbers(value_of(node, "values" if "values" in names else "choices"))
    if not names <= _RANGE_KEYS or not node.plain:
        return None
    whole = kind in _WHOLE or (kind is None and FIELDS[name].kinds == {"int"})
    if not whole and kind not in {None, *_FRACTIONS}:
        return None
    if {"min", "max"} <= names and not names & {"low", "high"}:
        low, high, beyond = value_of(node, "min"), value_of(node, "max"), False
    elif {"low", "high"} <= names and not names & {"min", "max"}:
        # Whether `high` itself is drawn depends on the library.
        low, high, beyond = value_of(node, "low"), value_of(node, "high"), True
    else:
        return None
    step = value_of(node, "step")
    if not (is_number(low) and is_number(high) and (step is None or is_number(step))):
        return None
    if not whole and step is None:
        return inside(low, high)
    size = 1 if step is None else step
    if not (isinstance(low, int) and isinstance(high, int) and isinstance(size, int)):
        return None if beyond else steps(low, high, size)
    return steps(low, high - 1 if beyond else high, size)


def _numbers(options: Any) -> Space | None:
    return choice(one for one in options if is_number(one)) if isinstance(options, list) else None


# ── wandb ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def sweeps(source: Source, tree: Tree) -> abc.Iterator[Site]:
    """Read the sweeps of wandb that choose AdaLoRA once and for all."""
    for node in nodes(tree):
        if not isinstance(node, Mapping) or text_of(node, "method") not in SEARCH_METHODS:
            continue
        parameters = content(node.fields["parameters"].entry.value) if "parameters" in node.fields else None
        if isinstance(parameters, Mapping) and _hands_on(node):
            yield from _sweep(source, parameters, None)


_WORD: Final = re.compile(r"\$\{\w+\}|[\w./=:,-]+")


def _hands_on(node: Mapping) -> bool:
    """Tell whether a sweep's own command, if it has one, gives the script what is chosen and nothing else for it."""
    if "command" not in node.fields:
        return True
    command = value_of(node, "command")
    if not isinstance(command, list) or not all(isinstance(word, str | int | float) for word in command):
        return False
    words = [str(word) for word in command]
    options = {word.lstrip("-").partition("=")[0].replace("-", "_") for word in words}
    return all(_WORD.fullmatch(word) for word in words) and not options & SEARCHED


def _sweep(source: Source, node: Mapping, method: str | None) -> abc.Iterator[Site]:
    method = _method(node) or method
    if method == "other" or not node.plain:
        return
    values: dict[str, Value] = {}
    spaces: Spaces = {}
    for name, field in node.fields.items():
        spec = content(field.entry.value)
        if not isinstance(name, str) or not isinstance(spec, Mapping):
            continue
        inner = content(spec.fields["parameters"].entry.value) if "parameters" in spec.fields else None
        if isinstance(inner, Mapping):
            yield from _sweep(source, inner, "adalora" if name.lower() == "adalora" else method)
        elif name in SEARCHED and "value" in spec.fields:
            values[name] = _constant(source, field.entry, value_of(spec, "value"))
        elif name in SEARCHED:
            values[name], found = searched_value(
                source, field.entry, drawn_by_wandb({key: value_of(spec, key) for key in names_of(spec)})
            )
            spaces |= found
    if method == "adalora" and values:
        head = next(iter(values.values())).key_span
        yield _site(source, node.span, head, values, spaces)


def _method(node: Mapping) -> str | None:
    """Name the tuning method that the constants of a sweep choose: `adalora`, or `other` where it may be another."""
    found = set()
    for name, field in node.fields.items():
        spec = content(field.entry.value)
        if not isinstance(name, str) or not DISCRIMINATOR.fullmatch(name) or not isinstance(spec, Mapping):
            continue
        options = value_of(spec, "values") if "values" in spec.fields else [value_of(spec, "value")]
        listed = options if isinstance(options, list) else [None]
        words = [re.sub(r"[\s_-]", "", one).lower() for one in listed if isinstance(one, str)]
        found |= {"adalora" if "adalora" in word else "other" for word in words if "adalora" in word or word in METHODS}
    return "other" if "other" in found else "adalora" if found else None


# ── Hydra ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def swept(source: Source, tree: Tree, sites: abc.Sequence[Site]) -> abc.Iterator[Site]:
    """Read what a sweeper of Hydra may choose for the configurations of the same text."""
    places = {site.span: site for site in sites if site.surface in {Surface.TARGET, Surface.PEFT_TYPE, Surface.BLOCK}}
    for document in tree.documents if b"sweeper" in source.content and places else ():
        parameters = _at(document, ("hydra", "sweeper", "params"))
        if not isinstance(parameters, Mapping):
            continue
        chosen: dict[Span, dict[str, tuple[Value, Spaces]]] = {}
        whole: list[tuple[str, ...]] = []
        for name, field in parameters.fields.items():
            path = tuple(str(name).lstrip("+").split("."))
            holder = _at(document, path[:-1])
            whole.append(path)
            if isinstance(holder, Mapping) and holder.span in places:
                space = _override(field.entry.value.value)
                chosen.setdefault(holder.span, {})[path[-1]] = searched_value(source, field.entry, space)
        for span, found in chosen.items():
            if not any(_is_around(path, span, document) for path in whole):
                values = {**places[span].values, **{name: value for name, (value, _) in found.items()}}
                spaces = {symbol: space for _, one in found.values() for symbol, space in one.items()}
                yield replace(places[span], surface=Surface.SEARCH, values=values, spaces=spaces)


def _at(node: Node, path: tuple[str, ...]) -> Node | None:
    """Give what stands at a path of keys."""
    here: Node | None = content(node)
    for name in path:
        if not isinstance(here, Mapping) or name not in here.fields:
            return None
        here = content(here.fields[name].entry.value)
    return here


def _is_around(path: tuple[str, ...], span: Span, document: Node) -> bool:
    """Tell whether a sweep replaces a configuration as a whole."""
    node = _at(document, path)
    return isinstance(node, Mapping) and node.span.start <= span.start and span.stop <= node.span.stop


_CALL: Final = re.compile(r"(choice|range|interval|int\(interval)\(([^()]*)\)\)?")


def _override(written: Any) -> Space | None:
    """Read an override of Hydra that stands for several values: `choice(4, 8)`, `range(4, 16, 4)`, `4,8`."""
    if not isinstance(written, str):
        return choice([written]) if is_number(written) else None
    call = _CALL.fullmatch(written.strip())
    kind, inner = (call[1], call[2]) if call else ("choice", written)
    numbers = [_number(part.strip().removeprefix("start=").removeprefix("stop=")) for part in inner.split(",")]
    known = [number for number in numbers if number is not None]
    if len(known) != len(numbers):
        return None
    match kind, known:
        case "choice", _:
            return choice(known)
        case "range", [stop]:
            return _below(0, stop, 1)
        case "range", [start, stop]:
            return _below(start, stop, 1)
        case "range", [start, stop, step]:
            return _below(start, stop, step)
        case "int(interval", [int(low), int(high)]:
            return steps(low, high)
        case "interval", [low, high]:  # fractions, even between whole numbers
            return inside(low, high)
    return None


def _below(start: Number, stop: Number, step: Number) -> Space | None:
    if not all(isinstance(number, int) for number in (start, stop, step)) or step <= 0:
        return None
    return steps(start, stop - 1, step)


def _number(text: str) -> Number | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


# ── frameworks ───────────────────────────────────────────────────────────────────────────────────────────────────────


def named_space(node: Node) -> Space | None:
    """Read a space that is named as Ray Tune names it: `{space: choice, categories: [4, 8]}`."""
    spec = content(node)
    if not isinstance(spec, Mapping):
        return None
    kind = text_of(spec, "space")
    if kind in {"choice", "grid_search"}:
        return _numbers(value_of(spec, "categories" if kind == "choice" else "values"))
    low, high, size = (value_of(spec, name) for name in ("lower", "upper", "q"))
    if kind is None or not is_number(low) or not is_number(high) or not (size is None or is_number(size)):
        return None
    return drawn_by_ray(kind, low, high, size)
