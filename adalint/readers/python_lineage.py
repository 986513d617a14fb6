"""Whether two expressions of a Python file stand for one model, for parts of one, or for two that share nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, TypeAlias

from adalint.readers.python_bindings import children_of
from adalint.readers.python_scopes import FUNCTIONS, dotted
from adalint.values import UNKNOWN, Kleene

if TYPE_CHECKING:
    from adalint.readers.python_things import Things

_INNER: Final = frozenset({"base_model", "module", "_orig_mod"})
"""Attributes of a wrapped model that are the model."""
FOLLOWED: Final = 60
"""So many expressions are looked at to tell where a model comes from."""

Key: TypeAlias = ast.AST | tuple[ast.AST, str]
"""What identifies an object: the call that made it, else its name in its scope."""


class Lineage:
    """Where one model comes from, and how others are related to it."""

    def __init__(self, model: ast.expr, things: Things) -> None:
        self.things = things
        self.map = things.map
        self.model = model
        self._line = self.line_of(model)
        self._reach = self._reach_of(model)
        self._scopes = {self.scope_of(key) for key in self._line}

    def relation(self, other: ast.expr) -> Kleene:
        """Tell whether an expression stands for the model, a part of it or what it is a part of; False: for another."""
        same = self.is_same(other)
        if same is not False:
            return same
        key = self.primary(other)
        line = self.line_of(other)
        if line & self._reach or self._line & self._reach_of(other):
            return UNKNOWN
        return False if self._is_comparable(key) and not self._is_item(other) else UNKNOWN

    def is_same(self, other: ast.expr) -> Kleene:
        """Tell whether an expression surely has to do with the model, by what it is called and by what made it."""
        key = self.primary(other)
        here, there = path_text(_bare(self.model)), path_text(_bare(other))
        if key == self.primary(self.model):
            return True if here == there or not self._is_made_often(key) else UNKNOWN
        return (there != "" and here.startswith(f"{there}.")) or self._is_part(other)

    def _is_part(self, other: ast.expr) -> bool:
        """Tell whether an expression is an attribute of the model."""
        while isinstance(other, ast.Attribute):
            other = other.value
            if self.primary(other) == self.primary(self.model):
                return True
        return False

    def _is_made_often(self, key: Key) -> bool:
        """Tell whether the call that made an object stands in a function that several places call."""
        if not isinstance(key, ast.Call):
            return False
        frame = self.map.frame_of(key)
        return isinstance(frame, FUNCTIONS) and len(self.map.callers_of(frame)) > 1

    def _is_comparable(self, key: Key) -> bool:
        """Tell whether two names could be told apart: two calls make two objects, two names of one scope hold two."""
        return isinstance(key, ast.Call) or self.scope_of(key) in self._scopes

    def _is_item(self, other: ast.expr) -> bool:
        """Tell whether a name is one of several things in turn."""
        kinds = (ast.For, ast.AsyncFor, ast.comprehension)
        return isinstance(other, ast.Name) and any(
            isinstance(one.node, kinds) for one in self.map.bindings(other.id, other)
        )

    def scope_of(self, key: Key) -> ast.AST:
        """Give the class, else the function or module, that an object is known in."""
        if isinstance(key, tuple):
            return key[0]
        frame = self.map.frame_of(key)
        return self.map.class_of(frame) or frame

    def primary(self, node: ast.expr) -> Key:
        """Give what identifies the object that an expression stands for."""
        node = _bare(node)
        made = self.things.made(node)
        if made is not None:
            return made
        frame = self.map.frame_of(node)
        if isinstance(node, ast.Name):
            scope = self.map.owner_of(node.id, node)[0]
            frame = frame if scope is None else self.map.frame_of_scope(scope)
        text = path_text(node)
        return (self.map.class_of(frame) or frame, text) if text else node

    def line_of(self, node: ast.expr) -> set[Key]:
        """Give the model and what it was wrapped around, each by its key."""
        line: set[Key] = set()
        for _ in range(FOLLOWED):
            key = self.primary(node)
            if key in line:
                break
            line.add(key)
            if key in self.map.wraps and isinstance(key, ast.Call) and key.args:
                node = key.args[0]
            elif isinstance(key, ast.Call) and isinstance(key.func, ast.Attribute):
                break
            elif isinstance(_bare(node), ast.Attribute) and dotted(node).partition(".")[0] != "self":
                node = _bare(node).value  # type: ignore[attr-defined]
            else:
                break
        return line

    def _reach_of(self, node: ast.expr) -> set[Key]:
        """Give all that an object may be made of, each by its key."""
        reach: set[Key] = set()
        pending = [node]
        seen: set[ast.AST] = set()
        while pending and len(seen) < FOLLOWED:
            one = pending.pop()
            if one in seen:
                continue
            seen.add(one)
            key = self.primary(one)
            reach.add(key)
            if isinstance(key, ast.Call):
                pending += [*key.args, *(word.value for word in key.keywords)]
                pending += [key.func.value] if isinstance(key.func, ast.Attribute) else []
            match one:
                case ast.Name(id=name) if not isinstance(key, ast.Call):
                    pending += [value for each in self.map.bindings(name, one) for value in values_in(each.node)]
                case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Starred(value=value):
                    pending += [] if isinstance(value, ast.Name) and value.id == "self" else [value]
                case ast.Call():
                    pass
                case _:
                    pending += [part for part in children_of(one) if isinstance(part, ast.expr)]
        return reach


def path_text(node: ast.expr) -> str:
    """Write names, attributes and items as one text, `models['a'].head`; empty for all else, which may be very deep."""
    parts: list[str] = []
    while True:
        match node:
            case ast.Name(id=name):
                return name + "".join(reversed(parts))
            case ast.Attribute(value=inner, attr=attr):
                parts.append(f".{attr}")
            case ast.Subscript(value=inner, slice=ast.Constant(value=key)):
                parts.append(f"[{key!r}]")
            case _:
                return ""
        node = inner


def values_in(node: ast.AST) -> list[ast.expr]:
    """Give what a statement binds its names to, or takes them from."""
    match node:
        case ast.Assign(value=value) | ast.AugAssign(value=value) | ast.NamedExpr(value=value):
            return [value]
        case ast.AnnAssign(value=ast.expr() as value):
            return [value]
        case ast.For(iter=value) | ast.AsyncFor(iter=value) | ast.comprehension(iter=value):
            return [value]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return [item.context_expr for item in items]
    return []


def _bare(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute) and node.attr in _INNER:
        node = node.value
    return node
