"""What is known of an object's attributes: defaults of argparse, dataclasses and classes, and what was given."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adalint.readers.python_classes import class_defaults, class_fields, own_attributes
from adalint.readers.python_shapes import last_name, path_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.readers.python_flow import Flow
    from adalint.values import Literal


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is known of an object's attributes: expressions, each worth what it is where it stands."""

    known: Mapping[str, ast.expr | Literal]


def read_attributes(flow: Flow, node: ast.expr) -> Attributes | None:
    """Tell what is known of an object's attributes; None when the text does not tell what the object is."""
    if isinstance(node, ast.Name):
        if node.id in flow.map.patched_names:
            return None
        if node.id == "self":
            owner = flow.map.class_of(flow.map.frame_of(node))
            return None if owner is None else Attributes(own_attributes(flow.map, owner))
        of_class = flow.map.class_named(node)
        if of_class is not None:
            return Attributes(class_defaults(flow.map, of_class))
        unpacked = _unpacked(flow, node)
        if unpacked is not None:
            return unpacked
    target = flow.target(node)
    match target:
        case ast.Call(func=ast.Attribute(attr="parse_args"), args=[] | [ast.List(elts=[])], keywords=[]):
            return Attributes(flow.map.argparse_defaults)
        case ast.Call(func=func, keywords=keywords) if last_name(func) in {"SimpleNamespace", "Namespace"}:
            return Attributes({one.arg: one.value for one in keywords if one.arg is not None})
        case ast.Call(func=func, args=[ast.Name() as name, *_]) if last_name(func) in {"cli", "parse"}:
            of_class = flow.map.class_named(name)
            return None if of_class is None else Attributes(class_defaults(flow.map, of_class))
        case ast.Call(func=ast.Name() as name):
            of_class = flow.map.class_named(name)
            return None if of_class is None else _instance(flow, of_class, target)
    return None


def _instance(flow: Flow, of_class: ast.ClassDef, call: ast.Call) -> Attributes | None:
    defaults = dict(class_defaults(flow.map, of_class))
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    names = class_fields(flow.map, of_class)
    given = dict(zip(names, call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    return Attributes({**defaults, **given})


def _unpacked(flow: Flow, node: ast.Name) -> Attributes | None:
    """Follow `a, b = parser.parse_args_into_dataclasses()` and `args, rest = parser.parse_known_args()`."""
    _, bindings = flow.map.owner_of(node.id, node)
    if len(bindings) != 1 or not isinstance(bindings[0].node, ast.Assign):
        return None
    statement = bindings[0].node
    path = path_in(statement.targets[0], node.id)
    match statement.value:
        case ast.Call(func=ast.Attribute(attr="parse_known_args"), args=[] | [ast.List(elts=[])], keywords=[]) if (
            path == (0,)
        ):
            return Attributes(flow.map.argparse_defaults)
        case ast.Call(func=ast.Attribute(value=parser, attr="parse_args_into_dataclasses")):
            made = flow.target(parser)
            if not isinstance(made, ast.Call) or not made.args:
                return None
            classes = made.args[0].elts if isinstance(made.args[0], ast.Tuple | ast.List) else [made.args[0]]
            index = path[0] if path else 0
            of_class = flow.map.class_named(classes[index]) if path is not None and index < len(classes) else None
            return None if of_class is None else Attributes(class_defaults(flow.map, of_class))
    return None
