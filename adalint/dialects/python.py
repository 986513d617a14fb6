"""Reading what a Python file hands to a framework in the framework's own words, as Sites with PEFT's own names.

Only what reaches one of the framework's own classes or functions, by an import of this file, is spoken to it, and a
dict of settings that it finds by its name.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.dialects import spoken_in_python
from adalint.dialects.reading import Written, site_of
from adalint.readers.python_afterwards import afterwards
from adalint.readers.python_dicts import keywords
from adalint.readers.python_flow import Flow
from adalint.readers.python_moments import is_judged
from adalint.readers.python_reader import value_of
from adalint.readers.python_roles import Role, role_of
from adalint.readers.python_scopes import dotted, map_of
from adalint.readers.python_shapes import last_name
from adalint.readers.python_worlds import World
from adalint.values import UNKNOWN, Literal, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adalint.dialects.record import Record
    from adalint.dialects.tables import DictOf
    from adalint.readers.python_dicts import Entries, Item
    from adalint.readers.python_scopes import FileMap
    from adalint.site import Site
    from adalint.source import Source, Span


def sites_in_python(source: Source) -> list[Site]:
    """Find what a Python file hands to a framework that turns AdaLoRA on, in the order of the text.

    Raises:
        ReadError: the text is not Python.
    """
    records = spoken_in_python(source.content) if b"adalora" in source.content.lower() else []
    if not records:
        return []
    file_map = map_of(source)
    flow = Flow(file_map, World(blind=True))
    sites = []
    for call in file_map.calls():
        module, _, rest = (file_map.path_of(call.func) or "").partition(".")
        spoken = [record for record in records if module in record.modules]
        if spoken and is_judged(call, file_map):
            found = (site for record in spoken for site in _read(record, call, rest.rpartition(".")[2], flow))
            sites += [site for site in found if site is not None]
    sites += [site for record in records for site in _read_named(record, flow) if site is not None]
    return sites


def _read_named(record: Record, flow: Flow) -> Iterator[Site | None]:
    """Read the dicts that stand under their own name at a root of a dict of settings: `{"adalora": {**its_args}}`."""
    names = record.python.named if record.python is not None else ()
    file_map = flow.map
    for node in file_map.nodes() if names else ():
        if not isinstance(node, ast.Dict) or not is_judged(node, file_map):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            is_root = isinstance(key, ast.Constant) and key.value in record.detect.roots
            name = next((one for one in names if is_root and _is_made_of(value, one)), None)
            document, entries = (None, None) if name is None else (flow.mapping(node), flow.mapping(value))
            if name is None or document is None or entries is None or _is_changed(value, node, file_map):
                continue
            yield _site(record, flow, file_map.span(value), value, entries, document, named=name)


def _is_made_of(node: ast.expr, name: str) -> bool:
    """Tell whether an expression is a name, or a dict of its entries and nothing else."""
    match node:
        case ast.Name(id=other) | ast.Dict(keys=[None], values=[ast.Name(id=other)]):
            return other == name
    return False


def _is_changed(inner: ast.expr, outer: ast.Dict, file_map: FileMap) -> bool:
    """Tell whether a file may change a dict of settings, or one in it, once it is made."""
    match file_map.parent(outer):
        case ast.Assign(targets=[ast.Name(id=holder) as target]) | ast.AnnAssign(target=ast.Name(id=holder) as target):
            pass
        case _:
            return True
    uses = [use for use in file_map.uses(holder, target) if use is not target]
    if isinstance(inner, ast.Name):
        stores = [use for use in file_map.uses(inner.id, inner) if isinstance(use.ctx, ast.Store)]
        uses += [use for use in file_map.uses(inner.id, inner) if use is not inner and stores != [use]]
    return any(_may_change(use, file_map) for use in uses)


def _may_change(use: ast.Name, file_map: FileMap) -> bool:
    around = file_map.parent(use)
    if isinstance(around, ast.Call) and last_name(around.func) == "parse_dict":
        return False
    return not isinstance(use.ctx, ast.Load) or role_of(file_map, use) not in {Role.READ, Role.COPY}


def _read(record: Record, call: ast.Call, name: str, flow: Flow) -> Iterator[Site | None]:
    """Read a call of the framework: its keywords, or the dict that it takes, under each root of the record."""
    python = record.python
    if python is None:
        return
    if name in python.keywords:
        entries = _changed(keywords(flow, call.keywords, home=flow.map.span(call)), call, flow.map)
        if entries is not None:
            entries = replace(entries, open=entries.open or bool(call.args))
            yield _site(record, flow, flow.map.span(call), call, entries, entries)
    for one in python.dicts:
        given = _argument(call, one) if one.call == name else None
        document = None if given is None else flow.mapping(given)
        if given is None or document is None:
            continue
        more = _is_given_more(call, one.parameter, flow)
        for root in record.detect.roots:
            for node, found in _under(flow, given, document, root):
                entries = replace(found, open=found.open or more)
                yield _site(record, flow, flow.map.span(node), call, entries, document)


def _argument(call: ast.Call, one: DictOf) -> ast.expr | None:
    """Find what a call gives for a parameter."""
    named = next((keyword.value for keyword in call.keywords if keyword.arg == one.parameter), None)
    positional = call.args[: one.position + 1]
    if named is not None or len(positional) <= one.position:
        return named
    return None if any(isinstance(arg, ast.Starred) for arg in positional) else positional[-1]


def _changed(entries: Entries, call: ast.Call, file_map: FileMap) -> Entries | None:
    """Forget what is set anew on the object that a call makes; None when that cannot be told."""
    after = afterwards(call, file_map)
    if after is None:
        return None
    if not after.changed:
        return entries
    items = {
        name: replace(item, expr=UNKNOWN) if name in after.changed else item for name, item in entries.items.items()
    }
    return replace(entries, items=items, open=True)


def _is_given_more(call: ast.Call, parameter: str, flow: Flow) -> bool:
    """Tell whether a method of what a call makes takes more of the same: `model.train_model(…, args={…})`."""
    match flow.map.parent(call):
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target) if dotted(target):
            methods = flow.map.attributes_by_owner.get(dotted(target), ())
        case ast.Attribute() as method:
            methods = [method]
        case _:
            return False
    calls = [one for one in map(flow.map.parent, methods) if isinstance(one, ast.Call)]
    return any(
        any(keyword.arg in {None, parameter} for keyword in one.keywords)
        or any(flow.mapping(arg) is not None for arg in one.args)
        for one in calls
    )


def _under(flow: Flow, node: ast.expr, entries: Entries, path: str) -> Iterator[tuple[ast.expr, Entries]]:
    """Give the dicts at a path of a dict, each with the expression that it is written as."""
    places: list[ast.expr] = []
    head, _, rest = path.partition(".")
    if not path:
        yield node, entries
        return
    item = entries.items.get(head)
    # Where more may follow, what is not known any more may have been replaced.
    if item is None or item.node is None or (entries.open and item.expr is UNKNOWN):
        return
    places = [item.node]
    if rest.partition(".")[0] == "*":
        rest = rest.partition(".")[2]
        places = list(item.node.elts) if isinstance(item.node, ast.List | ast.Tuple) else []
    for place in places:
        inner = flow.mapping(place)
        if inner is not None:
            yield from _under(flow, place, inner, rest)


def _site(
    record: Record, flow: Flow, span: Span, made: ast.expr, entries: Entries, document: Entries, named: str = ""
) -> Site | None:
    """Read entries as a Site; what is `named` in the module can be looked up like what stands in the document."""
    source = flow.map.source
    around = frozenset(document.items) | ({named} if named else set())
    written = Written(
        source,
        span,
        flow.map.span(made.func if isinstance(made, ast.Call) else made),
        {name: value_of(item, source) for name, item in entries.items.items()},
        around,
        lambda path: Value(Literal(True), span, span, "") if path == named else _entry_at(flow, document.items, path),
        {},
        open=entries.open,
        coerces=record.python.coerces if record.python is not None else None,
        in_python=True,
    )
    return site_of(record, written, source.name)


def _entry_at(flow: Flow, items: Mapping[str, Item], path: str) -> Value | None:
    head, _, rest = path.partition(".")
    item = items.get(head)
    if item is None or not rest:
        return None if item is None else value_of(item, flow.map.source)
    inner = None if item.node is None else flow.mapping(item.node)
    return None if inner is None else _entry_at(flow, inner.items, rest)
