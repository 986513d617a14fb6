"""What a dict holds where it is used: literals, `dict(...)`, merges, and what was done to it on the way."""

from __future__ import annotations

import ast
import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from adalint.readers.python_definitions import MAX_CALLERS, Assigned, Augmented, Parameter
from adalint.readers.python_files import Loaded, loaded
from adalint.readers.python_roles import Role, role_of
from adalint.readers.python_scopes import FRAMES
from adalint.readers.python_shapes import arms_of, called, is_double_starred, last_name, parameters, test_of
from adalint.source import Span
from adalint.values import UNKNOWN, Expr, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FunctionNode

_LONGEST_WORD: Final = 400


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
    text: str | None = None
    """The value in words, where the span does not hold it."""


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
        case Loaded():
            return _from_file(flow, node)
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
    if not is_steady(flow, node):
        return OPEN
    target = flow.target(node)
    entries = None if target is None or target is node else flow.mapping(target)
    return None if entries is None else _shared(entries)


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
    from_file = loaded(flow, node)
    if from_file is not None:
        return _from_file(flow, from_file)
    returned = flow.returned(node)
    return None if returned is None else flow.mapping(returned)


def _from_file(flow: Flow, node: Loaded) -> Entries:
    """Read a mapping that stands in a file: its entries are told where it is loaded, and no edit reaches them."""
    span = flow.map.span(node)
    return Entries(
        {
            name: Item(expr, node.node_of(name), span, span, text=repr(node.data[name]))
            for name, expr in node.exprs().items()
        }
    )


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
    start: ast.AST | None = None
    entries: Entries | None = None
    if isinstance(found, Parameter) and is_double_starred(found.function, name):
        start, entries = found.function, _extra_keywords(flow, found.function)
    elif isinstance(found, Augmented) and isinstance(found.statement.op, ast.BitOr):
        start = found.statement.target
        before, later = _named_mapping(flow, name, found.statement.target), flow.mapping(found.statement.value)
        entries = None if before is None or later is None else before.merged(later)
    elif found is not None:
        start = flow.follow(found)
        entries = None if start is None or _has_another_name(flow, start) else flow.mapping(start)
    if entries is None or start is None:
        return None
    changes = _changes(flow, name, node, start)
    if changes is None:
        return OPEN
    for change in changes:
        entries = _changed(flow, entries, change)
    return (
        entries if isinstance(found, Assigned | Augmented) and _is_only_reader(flow, name, node) else _shared(entries)
    )


def _has_another_name(flow: Flow, made: ast.expr) -> bool:
    """Tell whether a dict gets two names where it is made: `a = b = {}`, `(b := {})`."""
    around = flow.map.parent(made)
    return isinstance(around, ast.NamedExpr) or (isinstance(around, ast.Assign) and len(around.targets) > 1)


def _is_only_reader(flow: Flow, name: str, node: ast.expr) -> bool:
    """Tell whether nothing but a node uses what a variable holds, so that an edit of it changes nothing else."""
    return all(
        use is node or isinstance(use.ctx, ast.Store) or role_of(flow.map, use) is Role.CHANGE
        for use in flow.map.uses(name, node)
    )


def _extra_keywords(flow: Flow, function: FunctionNode) -> Entries | None:
    callers = flow.map.callers_of(function)
    if not callers or len(callers) > MAX_CALLERS:
        return None
    chosen = flow.world.choose(("caller", function), tuple(range(len(callers))))
    if chosen is None:
        return None
    own = set(parameters(function))
    extra = [keyword for keyword in callers[chosen].keywords if keyword.arg is None or keyword.arg not in own]
    return keywords(flow, extra)


def _changes(flow: Flow, name: str, node: ast.AST, made: ast.AST) -> list[ast.stmt] | None:
    """List what changes a dict between its making and its use, in order; None when something may change it unseen."""
    start, stop = flow.origin(made), flow.origin(node)
    same_frame = flow.map.frame_of(made) is flow.map.frame_of(node)
    here = flow.map.statement_of(node)
    changes: list[ast.stmt] = []
    for use in flow.map.uses(name, node):
        statement = flow.map.statement_of(use)
        if (
            use is node
            or statement is None
            or (isinstance(use.ctx, ast.Store) and not isinstance(statement, ast.AugAssign))
        ):
            continue
        role, place = role_of(flow.map, use), flow.origin(use)
        if role not in {Role.CHANGE, Role.ESCAPE}:
            continue
        if statement is here or statement in changes:
            return None
        if same_frame and not start < place < stop:
            if place > stop and _goes_round(flow, node, use):
                return None
            continue
        taken = _is_taken(flow, statement, node)
        if taken is None or (taken and role is Role.ESCAPE):
            return None
        if taken:
            changes.append(statement)
    return sorted(changes, key=flow.origin)


def is_steady(flow: Flow, node: ast.expr) -> bool:
    """Tell whether what an attribute or an item holds is only read, wherever the file has it in hand."""
    match node:
        case ast.Attribute(attr=attr):
            others: Sequence[ast.expr] = flow.map.attributes_named(attr)
        case ast.Subscript(value=owner):
            if isinstance(owner, ast.Attribute | ast.Subscript) and not is_steady(flow, owner):
                return False
            others = flow.map.uses(owner.id, owner) if isinstance(owner, ast.Name) else ()
        case _:
            return True
    return all(
        other in ast.walk(node) or isinstance(getattr(other, "ctx", None), ast.Store) or _only_reads(flow, other)
        for other in others
    )


def _only_reads(flow: Flow, use: ast.expr) -> bool:
    role = role_of(flow.map, use)
    return role in {Role.READ, Role.COPY} or (role is Role.INNER and _reads_a_scalar(flow, use))


def _reads_a_scalar(flow: Flow, use: ast.expr) -> bool:
    """Tell whether `CONFIG["adalora"]["rank"]` ends at a number or a string, which nobody can change."""
    found = flow.definition(use.id, use) if isinstance(use, ast.Name) else None
    literal = found.value if isinstance(found, Assigned) else None
    node: ast.AST | None = use
    while isinstance(literal, ast.Dict) and isinstance(node := flow.map.parent(node or use), ast.Subscript):
        keys = {
            key.value: value
            for key, value in zip(literal.keys, literal.values, strict=True)
            if isinstance(key, ast.Constant)
        }
        literal = keys.get(node.slice.value) if isinstance(node.slice, ast.Constant) else None
    return isinstance(literal, ast.Constant)


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


def _without(entries: Entries, key: str) -> Entries:
    return Entries({name: item for name, item in entries.items.items() if name != key}, entries.open)


def _shared(entries: Entries) -> Entries:
    return Entries({name: replace(item, home=None) for name, item in entries.items.items()}, entries.open)
