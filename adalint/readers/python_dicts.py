"""What a dict holds where it is used: literals, `dict(...)`, merges, and what was done to it on the way."""

from __future__ import annotations

import ast
import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from adalint.readers.python_definitions import MAX_CALLERS, Augmented, Parameter
from adalint.readers.python_scopes import FRAMES
from adalint.readers.python_shapes import arms_of, called, is_double_starred, last_name, parameters, test_of
from adalint.source import Span
from adalint.values import UNKNOWN, Expr, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FunctionNode

_LONGEST_WORD: Final = 400

_HARMLESS: Final = frozenset(
    {"print", "pprint", "dumps", "dump", "info", "debug", "warning", "log", "len", "sorted", "list", "str", "repr"}
    | {"copy", "deepcopy", "dict", "items", "keys", "values", "get", "isinstance", "type", "hash", "id", "format"}
)
"""What a dict may be handed to, or asked for, without being changed."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a mapping: what it is worth, where it is written, and the dict literal that it is written in.

    `home` is None when it is written in no literal that an edit could touch.
    """

    expr: Expr
    node: ast.expr | None
    span: Span
    key_span: Span
    home: Span | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """What is known of a dict; `open` says that it may hold more."""

    items: dict[str, Item] = field(default_factory=dict)
    open: bool = False

    def merged(self, later: Entries) -> Entries:
        """Put later entries over these; unknown ones may replace any."""
        earlier = self.items
        if later.open:
            earlier = {name: replace(item, expr=UNKNOWN) for name, item in earlier.items()}
        return Entries({**earlier, **later.items}, self.open or later.open)

    def beside(self, other: Entries) -> Entries:
        """Put the keywords of one call together, where none may be given twice."""
        return Entries({**self.items, **other.items}, self.open or other.open)


OPEN: Final = Entries(open=True)


def read_mapping(flow: Flow, node: ast.expr) -> Entries | None:
    """Tell what a dict holds where it is used; None when the expression is no dict that the text tells of."""
    match node:
        case ast.Dict():
            return _literal(flow, node)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            first, second = flow.mapping(left), flow.mapping(right)
            if first is None or second is None:
                return None
            return first.merged(second)
        case ast.Name(id=name):
            return _named_mapping(flow, name, node)
        case ast.Call():
            return _called_mapping(flow, node)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            arm = flow.arm_of(test, (0, 1))
            return None if arm is None else flow.mapping((body, orelse)[arm])
    target = flow.target(node)
    return None if target is None or target is node else flow.mapping(target)


def _literal(flow: Flow, node: ast.Dict) -> Entries:
    home = flow.map.span(node)
    entries = Entries()
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            inner = flow.mapping(value)
            entries = entries.merged(OPEN if inner is None else inner)
        elif isinstance(key, ast.Constant) and isinstance(key.value, str):
            item = Item(flow.value(value), value, flow.map.span(value), _key_span(flow, key), home)
            entries = entries.merged(Entries({key.value: item}))
        else:
            entries = entries.merged(OPEN)
    return entries


def _key_span(flow: Flow, key: ast.expr) -> Span:
    """Give the word of a quoted key, without its quotes."""
    span = flow.map.span(key)
    text = flow.map.source.slice(span)
    body = text.strip("rRbBuUfF")[:1]
    quote = len(text) - len(text.lstrip("rRbBuUfF")) + (3 if text.endswith(body * 3) and len(text) > 5 else 1)
    end = 3 if text.endswith(body * 3) and len(text) > 5 else 1
    return Span(span.start + quote, span.stop - end)


def _called_mapping(flow: Flow, node: ast.Call) -> Entries | None:
    match node:
        case ast.Call(func=ast.Name(id="dict")) if not flow.map.bindings("dict", node):
            return _dict_call(flow, node)
        case ast.Call(func=ast.Attribute(value=owner, attr="copy"), args=[], keywords=[]):
            return flow.mapping(owner)
        case ast.Call(func=func, args=[inner]) if last_name(func) in {"deepcopy", "copy"}:
            return flow.mapping(inner)
        case ast.Call(func=func, args=[inner]) if last_name(func) in {"asdict", "vars"}:
            return _fields(flow, inner)
    returned = flow.returned(node)
    return None if returned is None else flow.mapping(returned)


def _dict_call(flow: Flow, node: ast.Call) -> Entries | None:
    entries = Entries()
    for arg in node.args:
        inner = flow.mapping(arg)
        entries = entries.merged(OPEN if inner is None else inner)
    return entries.merged(keywords(flow, node.keywords, home=flow.map.span(node)))


def keywords(flow: Flow, keywords: Sequence[ast.keyword], home: Span | None = None) -> Entries:
    """Read keyword arguments as a dict."""
    entries = Entries()
    for keyword in keywords:
        if keyword.arg is None:
            inner = flow.mapping(keyword.value)
            entries = entries.beside(OPEN if inner is None else inner)
        else:
            span = flow.map.span(keyword.value)
            key_span = _keyword_span(flow, keyword) or span
            item = Item(flow.value(keyword.value), keyword.value, span, key_span, home)
            entries = entries.beside(Entries({keyword.arg: item}))
    return entries


def _keyword_span(flow: Flow, keyword: ast.keyword) -> Span | None:
    """Give the word of a keyword; None for a default in a class body, which is a keyword by another name."""
    start = flow.map.start(keyword)
    written = re.match(r"\w+", flow.map.source.content[start : start + _LONGEST_WORD].decode(errors="ignore"))
    # Python reads a name in its NFKC form.
    if written is None or unicodedata.normalize("NFKC", written.group()) != keyword.arg:
        return None
    return Span(start, start + len(written.group().encode()))


def _fields(flow: Flow, node: ast.expr) -> Entries | None:
    """Read the fields of an object as a dict, for `asdict` and `vars`."""
    known = flow.attributes(node)
    if known is None:
        return None
    items = {}
    for name, target in known.known.items():
        if name in flow.map.assigned_attributes:
            continue
        if isinstance(target, Literal):
            return OPEN
        items[name] = Item(flow.value(target), target, flow.map.span(target), flow.map.span(target))
    return Entries(items, open=True)


def _named_mapping(flow: Flow, name: str, node: ast.expr) -> Entries | None:
    found = flow.definition(name, node)
    if isinstance(found, Parameter) and is_double_starred(found.function, name):
        return _extra_keywords(flow, found.function)
    entries: Entries | None = None
    target: ast.expr | None = None
    if isinstance(found, Augmented) and isinstance(found.statement.op, ast.BitOr):
        target = found.statement.target
        before, later = _named_mapping(flow, name, found.statement.target), flow.mapping(found.statement.value)
        entries = None if before is None or later is None else before.merged(later)
    elif found is not None:
        target = flow.follow(found)
        entries = None if target is None else flow.mapping(target)
    if entries is None or target is None:
        return None
    changes = _changes(flow, name, node, target)
    if changes is None:
        return OPEN
    for change in changes:
        entries = _changed(flow, entries, change)
    return entries if flow.map.loads(name, node) <= 1 else _shared(entries)


def _extra_keywords(flow: Flow, function: FunctionNode) -> Entries | None:
    callers = flow.map.callers_of(function)
    if not callers or len(callers) > MAX_CALLERS:
        return None
    chosen = flow.world.choose(("caller", function), tuple(range(len(callers))))
    if chosen is None:
        return None
    own = set(parameters(function))
    extra = [keyword for keyword in callers[chosen].keywords if keyword.arg is None or keyword.arg not in own]
    return _shared(keywords(flow, extra))


def _changes(flow: Flow, name: str, node: ast.AST, target: ast.expr) -> list[ast.stmt] | None:
    """List what changes a dict between its making and its use, in order; None when something may change it unseen."""
    start, stop = flow.origin(target), flow.origin(node)
    same_frame = flow.map.frame_of(target) is flow.map.frame_of(node)
    changes: list[ast.stmt] = []
    for use in flow.map.uses(name, node):
        statement = flow.map.statement_of(use)
        if statement is None or flow.map.statement_of(node) is statement:
            continue
        if isinstance(use.ctx, ast.Store) and not isinstance(statement, ast.AugAssign):
            continue
        place = flow.origin(use)
        if same_frame and not start < place < stop:
            if place > stop and _goes_round(flow, node, use) and change_of(statement, name) is not None:
                return None
            continue
        if change_of(statement, name) is None:
            if _escapes(flow, use):
                return None
            continue
        taken = _is_taken(flow, statement, node)
        if taken is None:
            return None
        if taken:
            changes.append(statement)
    return sorted(changes, key=flow.origin)


def _goes_round(flow: Flow, node: ast.AST, use: ast.AST) -> bool:
    """Tell whether both stand in one loop, so that the later one runs before the earlier one's next round."""
    loops = [parent for parent in flow.map.parents(node) if isinstance(parent, ast.For | ast.While)]
    return any(parent in loops for parent in flow.map.parents(use))


def _is_taken(flow: Flow, statement: ast.stmt, node: ast.AST) -> bool | None:
    """Tell whether a statement runs, in this world, before a node is reached; None when the text does not tell."""
    around = [node, *flow.map.parents(node)]
    child: ast.AST = statement
    for parent in flow.map.parents(statement):
        if parent in around or isinstance(parent, FRAMES):
            break
        if isinstance(parent, ast.If | ast.Match):
            arms = arms_of(parent)
            mine = next((index for index, arm in enumerate(arms) if child in arm), None)
            arm = flow.arm_of(test_of(parent), tuple(range(len(arms))))
            if arm is None or mine is None:
                return None
            if arm != mine:
                return False
        elif not isinstance(parent, ast.With | ast.AsyncWith):
            return None
        child = parent
    return True


def _escapes(flow: Flow, use: ast.Name) -> bool:
    """Tell whether a use hands the dict to code that may change it."""
    parent = flow.map.parent(use)
    if isinstance(parent, ast.keyword):
        return parent.arg is not None
    if isinstance(parent, ast.Call) and use in parent.args:
        return last_name(parent.func) not in _HARMLESS
    if isinstance(parent, ast.Attribute):
        return parent.attr not in _HARMLESS
    if isinstance(parent, ast.Subscript):
        # What stands under a key is changed in place: `cfg["adalora"]["r"] = 4`, `cfg["adalora"].update(…)`.
        around = flow.map.parent(parent)
        stored = isinstance(around, ast.Subscript) and not isinstance(around.ctx, ast.Load)
        return stored or (isinstance(around, ast.Attribute) and around.attr not in _HARMLESS)
    return isinstance(parent, ast.Assign | ast.AnnAssign | ast.Return | ast.Tuple | ast.List)


def _changed(flow: Flow, entries: Entries, statement: ast.stmt) -> Entries:
    match statement:
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(key)) as word)], value=value):
            item = Item(flow.value(value), value, flow.map.span(value), _key_span(flow, word))
            return entries.merged(Entries({key: item}))
        case ast.AugAssign(op=ast.BitOr(), value=value):
            inner = flow.mapping(value)
            return entries.merged(OPEN if inner is None else inner)
        case ast.Delete(targets=[ast.Subscript(slice=ast.Constant(value=str(key)))]):
            return _without(entries, key)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="update"), args=args, keywords=given)):
            for arg in args:
                inner = flow.mapping(arg)
                entries = entries.merged(OPEN if inner is None else inner)
            return entries.merged(keywords(flow, given))
    match called(statement):
        case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(value=str(key)), *_]):
            return _without(entries, key)
        case ast.Call(func=ast.Attribute(attr="setdefault"), args=[ast.Constant(value=str(key)) as word, value]):
            if key in entries.items:
                return entries
            if entries.open:
                return entries
            item = Item(flow.value(value), value, flow.map.span(value), _key_span(flow, word))
            return entries.merged(Entries({key: item}))
    return OPEN


def change_of(statement: ast.stmt, name: str) -> ast.stmt | None:
    """Tell whether a statement changes the dict of that name in a way that can be followed."""
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=changed))]) if changed == name:
            return statement
        case ast.AugAssign(target=ast.Name(id=changed)) if changed == name:
            return statement
        case ast.Delete(targets=[ast.Subscript(value=ast.Name(id=changed))]) if changed == name:
            return statement
    match called(statement):
        case ast.Call(func=ast.Attribute(value=ast.Name(id=changed), attr="update" | "pop" | "setdefault" | "clear")):
            return statement if changed == name else None
    return None


def _without(entries: Entries, key: str) -> Entries:
    return Entries({name: item for name, item in entries.items.items() if name != key}, entries.open)


def _shared(entries: Entries) -> Entries:
    return Entries({name: replace(item, home=None) for name, item in entries.items.items()}, entries.open)
