"""What a Python file does with a configuration once it is made: fields that it reads again, fields that it changes."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adalint.readers.python_scopes import dotted
from adalint.readers.python_shapes import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_scopes import FileMap


@dataclass(frozen=True, slots=True)
class Afterwards:
    """The fields of one configuration that the file reads again, and those that it changes."""

    read: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()


def afterwards(made: ast.expr, file_map: FileMap) -> Afterwards | None:
    """Look for uses of the names that hold a configuration; None when any of its fields may be changed."""
    read: set[str] = set()
    changed: set[str] = set()
    names = [*_names_of(made, file_map), *_names_of_pefts_own(file_map)]
    uses = [use for name in names for use in file_map.attributes_by_owner.get(name, ())]
    uses += [use for use in file_map.attributes_by_owner.get("", ()) if _is_pefts_own(use.value)]
    for use in uses:
        if use.attr == "__dict__":
            return None
        (read if isinstance(use.ctx, ast.Load) else changed).add(use.attr)
    for call in (call for name in names for call in file_map.calls_by_first_argument.get(name, ())):
        match last_name(call.func), call.args[1:]:
            case "setattr", [ast.Constant(value=str(attr)), _]:
                changed.add(attr)
            case "setattr" | "vars", _:
                return None
            case "getattr", [ast.Constant(value=str(attr)), *_]:
                read.add(attr)
            case "replace" | "evolve", _:
                changed.update(one.arg for one in call.keywords if one.arg is not None)
    return Afterwards(frozenset(read), frozenset(changed))


def _names_of(made: ast.expr, file_map: FileMap) -> Iterator[str]:
    """Write the targets that the configuration is assigned to."""
    match file_map.parent(made):
        case ast.Assign(targets=targets):
            yield from (name for target in targets if (name := dotted(target)))
        case ast.AnnAssign(target=target) | ast.NamedExpr(target=target):
            yield dotted(target)


def _names_of_pefts_own(file_map: FileMap) -> Iterator[str]:
    """Write the names that hold a configuration where PEFT keeps it: `config = model.peft_config["default"]`."""
    if b"peft_config[" in file_map.source.content:
        for node in file_map.nodes():
            if isinstance(node, ast.Assign) and _is_pefts_own(node.value):
                yield from (name for target in node.targets if (name := dotted(target)))


def _is_pefts_own(node: ast.expr) -> bool:
    """Tell whether an expression is the configuration where PEFT keeps it: `model.peft_config["default"]`."""
    return isinstance(node, ast.Subscript) and last_name(node.value) == "peft_config"
