"""What classes and parsers of a Python file give by default."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.values import Literal

if TYPE_CHECKING:
    from adalint.readers.python_scopes import FileMap


def lineage(file_map: FileMap, owner: ast.ClassDef) -> list[ast.ClassDef]:
    """List the bases of a class that stand in this file, furthest first, and the class itself last."""
    found: list[ast.ClassDef] = []
    pending = [owner]
    while pending:
        current = pending.pop()
        if current not in found:
            found.append(current)
            pending += [base for one in current.bases if (base := file_map.class_named(one)) is not None]
    return found[::-1]


def class_fields(file_map: FileMap, owner: ast.ClassDef) -> list[str]:
    """Name the annotated fields of a class in order, those of its bases in this file first."""
    bodies = [one for each in lineage(file_map, owner) for one in each.body]
    names = [one.target.id for one in bodies if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
    return list(dict.fromkeys(names))


def class_defaults(file_map: FileMap, owner: ast.ClassDef) -> dict[str, ast.expr | Literal]:
    """Give what class bodies assign: class attributes, and the defaults of a dataclass's fields."""
    defaults: dict[str, ast.expr | Literal] = {}
    for one in (one for each in lineage(file_map, owner) for one in each.body):
        match one:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                default = _field_default(value)
                if default is None:
                    defaults.pop(name, None)
                else:
                    defaults[name] = default
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                defaults[name] = value
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                defaults.pop(name, None)
    return defaults


def own_attributes(file_map: FileMap, owner: ast.ClassDef) -> dict[str, ast.expr | Literal]:
    """Give what `self` has in a method: what the class body assigns and no subclass in this file assigns anew.

    None stands for what a subclass elsewhere is to say.
    """
    below = [one for one in file_map.classes if one is not owner and owner in lineage(file_map, one)]
    anew = {name for one in below for name in _assigned(one)}
    return {
        name: value
        for name, value in class_defaults(file_map, owner).items()
        if name not in anew and not (isinstance(value, ast.Constant) and value.value is None)
    }


def _assigned(owner: ast.ClassDef) -> set[str]:
    targets = (one.targets[0] if isinstance(one, ast.Assign) else getattr(one, "target", None) for one in owner.body)
    return {target.id for target in targets if isinstance(target, ast.Name)}


def read_argparse_defaults(file_map: FileMap) -> dict[str, ast.expr | Literal]:
    """Give the defaults of the arguments that the file's parsers know, those that are told once and for all."""
    if file_map.attribute_stores("default"):
        return {}
    defaults: dict[str, ast.expr | Literal | None] = {}
    for call in file_map.calls():
        match call.func:
            case ast.Attribute(attr="add_argument") if call.args:
                name, default = _argument(call)
                if name is not None:
                    defaults[name] = None if name in defaults else default
            case ast.Attribute(attr="set_defaults"):
                for keyword in call.keywords:
                    if keyword.arg is not None:
                        defaults[keyword.arg] = keyword.value
    return {name: default for name, default in defaults.items() if default is not None}


def _field_default(value: ast.expr) -> ast.expr | None:
    """Find the default in `field(default=8)`, `Field(8)` and the like; the value itself when it is no such call."""
    match value:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in {"field", "Field", "ib", "attrib"}:
            for keyword in value.keywords:
                if keyword.arg == "default":
                    return keyword.value
                if keyword.arg in {"default_factory", "factory"}:
                    return keyword.value.body if isinstance(keyword.value, ast.Lambda) else None
            return value.args[0] if value.args and name == "Field" else None
    return value


def _argument(call: ast.Call) -> tuple[str | None, ast.expr | Literal | None]:
    """Read `add_argument("--rank", type=int, default=16)`: the attribute that it fills, and its default."""
    flags = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    long = next((flag for flag in flags if flag.startswith("--")), flags[0] if flags else None)
    dest = keywords.get("dest")
    if isinstance(dest, ast.Constant) and isinstance(dest.value, str):
        long = dest.value
    if long is None or None in keywords:
        return None, None
    name = long.lstrip("-").replace("-", "_")
    action = keywords.get("action")
    default = keywords.get("default")
    if default is None and isinstance(action, ast.Constant) and action.value in {"store_true", "store_false"}:
        return name, Literal(action.value == "store_false")
    kind = keywords.get("type")
    if isinstance(default, ast.Constant) and isinstance(default.value, str) and kind is not None:
        return name, _converted(default.value, kind.id) if isinstance(kind, ast.Name) else None
    return name, None if "nargs" in keywords else default


def _converted(text: str, kind: str) -> Literal | None:
    """Convert a default that is a string, as argparse does."""
    try:
        return Literal({"int": int, "float": float, "str": str}[kind](text))
    except (KeyError, ValueError):
        return None
