"""Reading AdaLoRA configurations in Python: the map.

The standard `ast` tells which calls construct a configuration and what their arguments are worth; nothing is imported
or run. LibCST, the microscope, is used only where a rewrite is made (`adalint.fixes.python_edits`) and for texts whose
grammar is newer than this interpreter's.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from adalint.readers.python_dicts import keywords
from adalint.readers.python_flow import Flow
from adalint.readers.python_loops import allocation_in
from adalint.readers.python_scopes import FileMap
from adalint.readers.python_shapes import last_name
from adalint.readers.python_syntax import parse
from adalint.readers.python_worlds import World, in_every_world
from adalint.site import RUN_LENGTH_NAMES, Site, Surface
from adalint.values import UNKNOWN, Literal, Value, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_dicts import Entries, Item
    from adalint.source import Source, Span

CLASS_NAME: Final = "AdaLoraConfig"
EXPECTED_FAILURES: Final = frozenset(
    {"raises", "warns", "deprecated_call", "assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex"}
)


@dataclass(frozen=True, slots=True)
class Construction:
    """A place where a configuration is made: what names it, and the fields that are written there, before any world.

    `keywords` are the call's own; `before` holds keywords that stand elsewhere (`functools.partial`, a subclass's
    defaults); `table` is the dict of `get_peft_config({...})` or of a table of classes.
    """

    node: ast.expr
    head: Span
    keywords: tuple[ast.keyword, ...] = ()
    before: tuple[ast.keyword, ...] = ()
    table: ast.expr | None = None
    open: bool = False
    accepts: frozenset[str] = frozenset()


def read_sites(source: Source) -> list[Site]:
    """Find the configurations in a Python file.

    Raises:
        ReadError: the text is not Python.
    """
    file_map = FileMap(source, parse(source))
    found = [one for one in _constructions(file_map) if _is_judged(one.node, file_map)]
    sites = [site for one in found if (site := _site(one, file_map)) is not None]
    if len(sites) == 1:
        loop = allocation_in(file_map)
        others = tuple(replace(other, loop=loop) for other in sites[0].others)
        sites = [replace(sites[0], loop=loop, others=others)]
    return sites


def _constructions(file_map: FileMap) -> Iterator[Construction]:
    flow = Flow(file_map, World(blind=True))
    for call in file_map.calls():
        made = _construction(call, flow)
        if made is not None:
            yield made
    if _builds_from_tables(file_map):
        yield from _table_rows(file_map)


def _construction(call: ast.Call, flow: Flow) -> Construction | None:
    """Recognise a call that makes a configuration: of the class itself, an alias, a registry, a partial, a subclass."""
    head = flow.map.span(call.func)
    own = tuple(call.keywords)
    if is_configuration_class(call.func, flow):
        return Construction(call, head, own, open=bool(call.args))
    if (flow.map.path_of(call.func) or "").startswith("peft.") and last_name(call.func) == "get_peft_config":
        table = call.args[0] if call.args else next((one.value for one in own if one.arg == "config_dict"), None)
        return None if table is None else Construction(call, head, table=table)
    made = flow.target(call.func) if isinstance(call.func, ast.Name) else None
    if isinstance(made, ast.Call) and _is_partial(made, flow):
        return Construction(call, head, own, tuple(made.keywords), open=bool(call.args or made.args[1:]))
    subclass = flow.map.class_named(call.func)
    return None if subclass is None else _of_subclass(call, subclass, flow)


def is_configuration_class(node: ast.expr, flow: Flow) -> bool:
    """Tell whether an expression is PEFT's AdaLoraConfig, not somebody's own class of that name."""
    path = flow.map.path_of(node)
    if path is None and isinstance(node, ast.Subscript):
        entry = _registered(node, flow)
        path = None if entry is None else flow.map.path_of(entry)
    return path is not None and path.startswith("peft.") and path.rpartition(".")[2] == CLASS_NAME


def _registered(node: ast.Subscript, flow: Flow) -> ast.expr | None:
    """Find what stands under a literal key of a dict: `CONFIGS["adalora"]`."""
    match node.slice:
        case ast.Constant(value=str(key)):
            entries = flow.mapping(node.value)
            item = entries.items.get(key) if entries is not None else None
            return None if item is None else item.node
    return None


def _is_partial(made: ast.Call, flow: Flow) -> bool:
    is_partial = flow.map.path_of(made.func) == "functools.partial"
    return is_partial and bool(made.args) and is_configuration_class(made.args[0], flow)


def _of_subclass(call: ast.Call, subclass: ast.ClassDef, flow: Flow) -> Construction | None:
    """Read a subclass that only adds fields or changes defaults; one with an `__init__` is its own affair."""
    before: list[ast.keyword] = []
    accepts: set[str] = set()
    pending = [subclass]
    while pending:
        current = pending.pop()
        bodies = [one for one in current.body if isinstance(one, ast.FunctionDef)]
        if current.keywords or any(one.name in {"__init__", "__new__", "__post_init__"} for one in bodies):
            return None
        bases = [base for base in current.bases if not is_configuration_class(base, flow)]
        parents = [flow.map.class_named(base) for base in bases]
        if len(current.bases) != 1 or any(parent is None or parent is current for parent in parents):
            return None
        pending += [parent for parent in parents if parent is not None]
        for name, value in flow.map.class_defaults(current).items():
            accepts.add(name)
            if isinstance(value, ast.expr):
                keyword = ast.keyword(name, value)
                before.insert(0, ast.copy_location(keyword, value))
        accepts.update(flow.map.class_fields(current))
    return Construction(
        call,
        flow.map.span(call.func),
        tuple(call.keywords),
        tuple(before),
        open=bool(call.args),
        accepts=frozenset(accepts),
    )


def _builds_from_tables(file_map: FileMap) -> bool:
    """Tell whether the file calls `cls(**kw)` with two names that are unpacked or handed in together."""
    for call in file_map.calls():
        match call:
            case ast.Call(func=ast.Name(id=cls), args=[], keywords=[ast.keyword(arg=None, value=ast.Name(id=kw))]):
                first, second = file_map.the_binding(cls, call), file_map.the_binding(kw, call)
                if first is None or second is None or first.path is not None:
                    continue
                together = first.node is second.node and first.value is None
                if together or (isinstance(first.node, ast.arg) and isinstance(second.node, ast.arg)):
                    return True
    return False


def _table_rows(file_map: FileMap) -> Iterator[Construction]:
    flow = Flow(file_map, World(blind=True))
    for node in file_map.nodes():
        match node:
            case ast.Tuple(elts=parts) | ast.List(elts=parts) if len(parts) >= 2:
                for first, second in pairwise(parts):
                    if isinstance(second, ast.Dict) and is_configuration_class(first, flow):
                        yield Construction(second, file_map.span(first), table=second)


def _is_judged(call: ast.expr, file_map: FileMap) -> bool:
    """Leave out what is expected to fail and what only a type checker sees."""
    for parent in file_map.parents(call):
        match parent:
            case ast.With(items=items) | ast.AsyncWith(items=items):
                if any(_expects_failure(item.context_expr) for item in items):
                    return False
            case ast.Call() if _expects_failure(parent):
                return False
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                return False
    return True


def _expects_failure(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in EXPECTED_FAILURES
    return False


def _site(made: Construction, file_map: FileMap) -> Site | None:
    """Read a construction in every world; the first reading stands for the place, the others beside it."""
    readings: list[Site] = []
    for site in in_every_world(lambda world: _reading(made, Flow(file_map, world))):
        if site is None:
            return None
        if not any(_same(site, other) for other in readings):
            readings.append(site)
    return replace(readings[0], others=tuple(readings[1:]))


def _same(site: Site, other: Site) -> bool:
    exprs = {name: value.expr for name, value in site.values.items()}
    return exprs == {name: value.expr for name, value in other.values.items()} and site.open == other.open


def _reading(made: Construction, flow: Flow) -> Site | None:
    flow.decide_around(made.node)
    file_map = flow.map
    span = file_map.span(made.node)
    if made.table is not None:
        entries = flow.mapping(made.table)
        if entries is None or (isinstance(made.node, ast.Call) and not _is_adalora(entries)):
            return None
    else:
        entries = keywords(flow, made.before).merged(keywords(flow, made.keywords, home=span))
    return Site(
        source=file_map.source,
        surface=Surface.CALL,
        span=span,
        head=made.head,
        values={name: _value(item, file_map.source) for name, item in entries.items.items()},
        open=made.open or entries.open,
        late_total_step=_sets_total_step_late(file_map),
        run_length=_run_length(made.node, flow),
        accepts=made.accepts,
    )


def _is_adalora(entries: Entries) -> bool:
    kind = entries.items.get("peft_type")
    return kind is not None and kind.expr == Literal("ADALORA")


def _value(item: Item, source: Source) -> Value:
    return Value(item.expr, item.span, item.key_span, source.slice(item.span), shared=item.home is None, home=item.home)


def _sets_total_step_late(file_map: FileMap) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr == "total_step" and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "set_total_step")
        for node in file_map.nodes()
    )


def _run_length(call: ast.expr, flow: Flow) -> Value | None:
    """Find the one length of the run that the file tells, in a form that can stand in the constructor.

    A name or expression can stand there when all its names are bound before the call, a literal number anywhere. Two
    different lengths are none.
    """
    file_map = flow.map
    written = list(_lengths(file_map))
    values = [flow.value(node) for node in written]
    if not values or any(value is UNKNOWN or value != values[0] for value in values):
        return None
    for node in written:
        span = file_map.span(node)
        text = file_map.source.slice(span)
        if file_map.names_bound_before(node, call) and not {"\n", "\r"} & set(text):
            return _positive(Value(values[0], span, span, text))
    span = file_map.span(written[0])
    return _positive(Value(values[0], span, span, repr(values[0].value))) if isinstance(values[0], Literal) else None


def _positive(value: Value) -> Value | None:
    if isinstance(value.expr, Literal) and not (is_number(value.expr.value) and value.expr.value > 0):
        return None
    return value


def _lengths(file_map: FileMap) -> Iterator[ast.expr]:
    """Give the expressions that stand for the length of the run: names that say so, and what `total_step` is set to."""
    for node in file_map.nodes():
        match node:
            case ast.keyword(arg=name, value=value) if name in RUN_LENGTH_NAMES:
                yield value
            case ast.Assign(targets=[ast.Name(id=name) as target]) if name in RUN_LENGTH_NAMES:
                yield target
            case ast.Assign(targets=[ast.Attribute(attr="total_step")], value=value):
                yield value
            case ast.Call(func=ast.Attribute(attr="set_total_step"), args=[value]):
                yield value
