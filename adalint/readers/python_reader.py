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

from adalint.readers.python_afterwards import afterwards
from adalint.readers.python_classes import class_defaults, class_fields, lineage
from adalint.readers.python_config_dicts import config_dicts, without_housekeeping
from adalint.readers.python_dicts import keywords
from adalint.readers.python_flow import Flow
from adalint.readers.python_guards import free_spaces
from adalint.readers.python_moments import is_judged
from adalint.readers.python_scopes import FileMap, dotted, map_of
from adalint.readers.python_shapes import is_pure, last_name
from adalint.readers.python_syntax import parse
from adalint.readers.python_trainings import with_trainings
from adalint.readers.python_worlds import World, in_every_world
from adalint.readers.python_wrapping import is_wrapped
from adalint.site import RUN_LENGTH_NAMES, Site, Surface
from adalint.values import UNKNOWN, Literal, Symbol, Value, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adalint.readers.python_dicts import Entries, Item
    from adalint.source import Source, Span
    from adalint.values import Expr

CLASS_NAME: Final = "AdaLoraConfig"
_SIGNS: Final = (CLASS_NAME.encode(), b"get_peft_config", b"update_and_allocate", b"ADALORA")
"""One of these stands in every file that makes a configuration, or calls the allocator."""

_CONSTANTS: Final = frozenset(name.upper() for name in RUN_LENGTH_NAMES if "train" in name)
"""Constants that say the same; `MAX_STEPS` may be that of an episode."""


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
    reads: frozenset[str] = frozenset()
    """Fields that a subclass's own methods read."""
    surface: Surface = Surface.CALL
    in_config: bool = False
    """`table` is a dict of a config module, which somebody else's code hands on."""


def read_sites(source: Source) -> list[Site]:
    """Find the configurations in a Python file.

    Raises:
        ReadError: the text is not Python.
    """
    from adalint.dialects.python import sites_in_python

    spoken = sites_in_python(source)
    if not any(sign in source.content for sign in _SIGNS):
        parse(source)
        return spoken
    file_map = map_of(source)
    if _replaces_the_class(file_map):
        return spoken
    found = [one for one in _constructions(file_map) if is_judged(one.node, file_map)]
    lengths = _length_nodes(file_map)
    made = [(one.node, site) for one in found if (site := _site(one, file_map, lengths)) is not None]
    sites = _paired([site for _, site in made])
    sites = with_trainings(sites, [node for node, _ in made], Flow(file_map, World(blind=True)))
    return sorted([*sites, *spoken], key=lambda site: site.span) if spoken else sites


def _replaces_the_class(file_map: FileMap) -> bool:
    """Tell whether the file puts something else in the place of PEFT's class: `peft.AdaLoraConfig = …`."""
    patched = (call.args[0] for call in file_map.calls() if call.args and last_name(call.func) == "patch")
    return bool(file_map.attribute_stores(CLASS_NAME)) or any(
        isinstance(what, ast.Constant) and isinstance(what.value, str) and CLASS_NAME in what.value for what in patched
    )


def _paired(sites: list[Site]) -> list[Site]:
    """Forget the length of the run where configurations give several: the text does not tell whose run it is."""
    written = [site.values["total_step"].expr for site in sites if "total_step" in site.values]
    if all(expr == written[0] for expr in written):
        return sites
    return [replace(site, run_length=None) if "total_step" in site.values else site for site in sites]


def _constructions(file_map: FileMap) -> Iterator[Construction]:
    flow = Flow(file_map, World(blind=True))
    has_partials = b"partial" in file_map.source.content and any(
        file_map.path_of(call.func) == "functools.partial" for call in file_map.calls()
    )
    for call in file_map.calls():
        made = _construction(call, flow, has_partials)
        if made is not None:
            yield made
    if _builds_from_tables(file_map):
        yield from _table_rows(file_map)
    for one in config_dicts(flow, lambda node: is_configuration_class(node, flow)):
        head = file_map.span(one.named_by)
        yield Construction(one.node, head, table=one.node, open=one.open, surface=one.surface, in_config=True)


def _construction(call: ast.Call, flow: Flow, has_partials: bool) -> Construction | None:
    """Recognise a call that makes a configuration: of the class itself, an alias, a registry, a partial, a subclass."""
    own = tuple(call.keywords)
    if is_configuration_class(call.func, flow):
        return Construction(call, flow.map.span(call.func), own, open=bool(call.args))
    if (flow.map.path_of(call.func) or "").startswith("peft.") and last_name(call.func) == "get_peft_config":
        table = call.args[0] if call.args else next((one.value for one in own if one.arg == "config_dict"), None)
        return None if table is None else Construction(call, flow.map.span(call.func), table=table)
    if has_partials:
        made = flow.target(call.func) if isinstance(call.func, ast.Name) else call.func
        touched = flow.map.attributes_by_owner.get(dotted(call.func), ())
        if isinstance(made, ast.Call) and _is_partial(made, flow) and not touched:
            is_open = bool(call.args or made.args[1:])
            return Construction(call, flow.map.span(call.func), own, tuple(made.keywords), open=is_open)
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
    family = lineage(flow.map, subclass)
    bases = [base for each in family for base in each.bases]
    if not all(_only_adds(each) for each in family) or sum(is_configuration_class(base, flow) for base in bases) != 1:
        return None
    defaults = class_defaults(flow.map, subclass).items()
    before = [
        ast.copy_location(ast.keyword(name, value), value) for name, value in defaults if isinstance(value, ast.expr)
    ]
    parts = [part for each in family for part in ast.walk(each)]
    return Construction(
        call,
        flow.map.span(call.func),
        tuple(call.keywords),
        tuple(before),
        open=bool(call.args),
        accepts=frozenset({*class_fields(flow.map, subclass), *class_defaults(flow.map, subclass)}),
        reads=frozenset(
            part.attr for part in parts if isinstance(part, ast.Attribute) and dotted(part.value) == "self"
        ),
    )


def _only_adds(of_class: ast.ClassDef) -> bool:
    methods = {one.name for one in of_class.body if isinstance(one, ast.FunctionDef)}
    return len(of_class.bases) == 1 and not of_class.keywords and not methods & {"__init__", "__new__", "__post_init__"}


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


def _is_dict(node: ast.expr) -> bool:
    return isinstance(node, ast.Dict) or (isinstance(node, ast.Call) and last_name(node.func) == "dict")


def _table_rows(file_map: FileMap) -> Iterator[Construction]:
    flow = Flow(file_map, World(blind=True))
    for node in file_map.nodes():
        match node:
            case ast.Tuple(elts=parts) | ast.List(elts=parts) if len(parts) >= 2:
                for first, second in pairwise(parts):
                    if _is_dict(second) and is_configuration_class(first, flow):
                        yield Construction(second, file_map.span(first), table=second)


def _site(made: Construction, file_map: FileMap, lengths: Sequence[ast.AST]) -> Site | None:
    """Read a construction in every world; the first reading stands for the place, the others beside it."""
    readings: list[Site] = []
    for site in in_every_world(lambda world: _reading(made, Flow(file_map, world), lengths)):
        if site is None:
            return None
        if not any(_same(site, other) for other in readings):
            readings.append(site)
    return replace(readings[0], others=tuple(readings[1:]))


def _same(site: Site, other: Site) -> bool:
    exprs = {name: value.expr for name, value in site.values.items()}
    others = {name: value.expr for name, value in other.values.items()}
    return exprs == others and site.open == other.open and site.spaces == other.spaces


def _reading(made: Construction, flow: Flow, lengths: Sequence[ast.AST]) -> Site | None:
    flow.decide_around(made.node)
    file_map = flow.map
    span = file_map.span(made.node)
    if made.table is not None:
        entries = flow.mapping(made.table)
        if entries is None or (made.node is not made.table and not _is_adalora(entries)):
            return None
        entries = without_housekeeping(entries) if made.in_config else entries
    else:
        entries = keywords(flow, made.before).merged(keywords(flow, made.keywords, home=span))
    after = afterwards(made.node, file_map)
    if after is None:
        return None
    values = {name: value_of(item, file_map.source) for name, item in entries.items.items()}
    return Site(
        source=file_map.source,
        surface=made.surface,
        span=span,
        head=made.head,
        values=values,
        open=made.open or entries.open,
        late_total_step=any(map(_is_late, lengths)),
        run_length=_run_length(made.node, flow, lengths),
        read_back=after.read | made.reads,
        changed_later=after.changed - {"total_step"},
        accepts=made.accepts,
        wrapped=is_wrapped(made.node, file_map) or (made.in_config and made.surface is Surface.CALL),
        spaces=free_spaces(flow, values, made.node) if flow.spaces else {},
    )


def _is_adalora(entries: Entries) -> bool:
    kind = entries.items.get("peft_type")
    return kind is not None and kind.expr == Literal("ADALORA")


def value_of(item: Item, source: Source) -> Value:
    """Read an entry of a dict as the value of a field."""
    text = source.slice(item.span) if item.text is None else item.text
    pure = item.node is None or is_pure(item.node)
    return Value(item.expr, item.span, item.key_span, text, shared=item.home is None, home=item.home, pure=pure)


def _is_late(node: ast.AST) -> bool:
    """Tell whether a node that tells a length sets `total_step` of a configuration that is made already."""
    return isinstance(node, ast.Call) or (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute))


def _run_length(call: ast.expr, flow: Flow, nodes: Sequence[ast.AST]) -> Value | None:
    """Find the one length of the run that the file tells, in a form that can stand in the constructor.

    A name or expression can stand there when all its names are bound before the call, a literal number anywhere. Two
    different lengths are none, and -1 says that the length is told elsewhere.
    """
    file_map = flow.map
    told = [(node, value) for node, value in _lengths(call, flow, nodes) if not _is_no_length(value)]
    written, values = [node for node, _ in told], [value for _, value in told]
    if not values or any(value is UNKNOWN or value != values[0] for value in values):
        return None
    for node in written:
        span = file_map.span(node)
        text = file_map.source.slice(span)
        if file_map.names_bound_before(node, call) and not {"\n", "\r"} & set(text):
            return Value(values[0], span, span, text)
    span = file_map.span(written[0])
    return Value(values[0], span, span, repr(values[0].value)) if isinstance(values[0], Literal) else None


def _is_no_length(value: Expr) -> bool:
    return isinstance(value, Literal) and not (is_number(value.value) and value.value > 0)


def _lengths(call: ast.expr, flow: Flow, nodes: Sequence[ast.AST]) -> Iterator[tuple[ast.expr, Expr]]:
    """Give what stands for the length of the run, each with what it is worth."""
    for node in nodes:
        match node:
            case ast.keyword(value=value) if call not in flow.map.parents(node):
                yield value, flow.value(value)
            case ast.Assign(targets=[ast.Name(id=name) as target], value=value):
                worth = flow.value(value)
                yield target, Symbol(name, flow.origin(value)) if worth is UNKNOWN else worth
            case ast.Assign(value=value) | ast.Call(args=[value]):
                yield value, flow.value(value)


def _length_nodes(file_map: FileMap) -> list[ast.AST]:
    """Find where a file tells how long it runs: names that say so, and what `total_step` is set to."""
    found: list[ast.AST] = []
    for node in file_map.nodes():
        match node:
            case ast.keyword(arg=name) | ast.Assign(targets=[ast.Name(id=name)]) if name in RUN_LENGTH_NAMES:
                found.append(node)
            case ast.Assign(targets=[ast.Name(id=name)]) if name in _CONSTANTS:
                found.append(node)
            case ast.Assign(targets=[ast.Attribute(attr="total_step")]):
                found.append(node)
            case ast.Call(func=ast.Attribute(attr="set_total_step"), args=[_]):
                found.append(node)
    return found
