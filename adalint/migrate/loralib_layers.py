"""The layers of loralib in a model's code: which modules they are, with which rank and scale, and as plain layers."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_names import Unmovable, arguments
from adalint.migrate.loralib_values import handed_in
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from adalint.readers.python_scopes import FileMap

_NAMES: Final = ("in_features", "out_features", "r", "lora_alpha", "lora_dropout", "fan_in_fan_out", "merge_weights")
_OF_LINEAR: Final = frozenset({"bias", "device", "dtype"})
_CONTAINERS: Final = ("Sequential", "ModuleList")


@dataclass(frozen=True, slots=True)
class Layers:
    """What the layers have in common; an expression that is not given is None."""

    rank: ast.expr
    alpha: ast.expr | None
    dropout: ast.expr | None
    targets: tuple[str, ...]
    slots: ast.expr | None = None
    """A text that names slots of loralib's models, where no code of the project has the layers."""


def layers_of(calls: list[ast.Call], file_map: FileMap, said: Callable[[ast.expr], ast.expr] | None = None) -> Layers:
    """Tell rank, scale, dropout and names of the layers; `said` puts a value in the words of those who make the model.

    Raises:
        Unmovable: they differ, or one configuration of PEFT cannot say what they are.
    """
    given = [arguments(call, _NAMES, 2, _OF_LINEAR) for call in calls]
    for call, one in zip(calls, given, strict=True):
        flag = one.get("fan_in_fan_out")
        if flag is not None and not (isinstance(flag, ast.Constant) and flag.value is False):
            raise Unmovable(call, "fan_in_fan_out: the weight is kept transposed, as nn.Linear does not")
        if "r" not in one:
            raise Unmovable(call, "SVDLinear without r is no adapter")
    for name in ("r", "lora_alpha", "lora_dropout"):
        for one in given:
            if name in one:
                one[name] = handed_in(one[name], file_map) if said is None else said(one[name])
        texts = {"" if name not in one else ast.unparse(one[name]) for one in given}
        if len(texts) > 1:
            raise Unmovable(calls[-1], f"the layers differ in {name} ({', '.join(sorted(texts))}); AdaLoRA has one")
    targets = tuple(dict.fromkeys(name for call in calls for name in modules_of(call, file_map)))
    refuse_namesakes(targets, file_map)
    return Layers(given[0]["r"], given[0].get("lora_alpha"), given[0].get("lora_dropout"), targets)


def plain(call: ast.Call, linear: str, file_map: FileMap) -> list[Edit]:
    """Make a layer of loralib a plain one of torch."""
    mine: list[ast.expr | ast.keyword] = [*call.args[2:], *(one for one in call.keywords if one.arg in _NAMES[2:])]
    return [Edit(file_map.span(call.func), linear), *without([*call.args, *call.keywords], mine, file_map)]


def without(items: list[ast.expr | ast.keyword], gone: list[ast.expr | ast.keyword], file_map: FileMap) -> list[Edit]:
    """Take some items out of a list with commas."""
    items = sorted(items, key=file_map.start)
    spans = [file_map.span(one) for one in items]
    edits: list[Edit] = []
    kept_before = -1
    for index, one in enumerate(items):
        if one not in gone:
            kept_before = index
        elif kept_before >= 0:
            edits.append(Edit(Span(spans[index - 1].stop, spans[index].stop), ""))
        else:
            stop = spans[index + 1].start if index + 1 < len(items) else spans[index].stop
            edits.append(Edit(Span(spans[index].start, stop), ""))
    return edits


def modules_of(call: ast.Call, file_map: FileMap) -> list[str]:
    """Name the modules that a layer becomes.

    Raises:
        Unmovable: the code does not say.
    """
    value: ast.AST = call
    prefix = ""
    parent = file_map.parent(call)
    if isinstance(parent, ast.Call) and call in parent.args and _ends_in(parent.func, _CONTAINERS):
        prefix = f".{parent.args.index(call)}"
        value, parent = parent, file_map.parent(parent)
    names: list[str] | None = None
    match parent:
        case ast.Assign(targets=[ast.Attribute(attr=attr)]):
            names = [attr]
        case ast.Assign(targets=[ast.Name(id=name)]) if not prefix:
            names = _put_later(name, call, file_map)
        case ast.Call(func=ast.Name(id="setattr"), args=[_, where, one]) if one is value:
            names = _names_in(where, file_map)
    if names is None:
        raise Unmovable(call, "the name of this module is not told by the code: target_modules cannot be written")
    return [name + prefix for name in names]


def _put_later(name: str, call: ast.Call, file_map: FileMap) -> list[str] | None:
    """Follow a layer that has a name first, and is put into the model then."""
    found: list[str] = []
    for use in file_map.uses(name, call):
        match file_map.parent(use):
            case ast.Assign(targets=[ast.Attribute(attr=attr)], value=value) if value is use:
                found.append(attr)
            case ast.Call(func=ast.Name(id="setattr"), args=[_, where, one]) if one is use:
                names = _names_in(where, file_map)
                if names is None:
                    return None
                found += names
    return found or None


def _names_in(where: ast.expr, file_map: FileMap) -> list[str] | None:
    """Tell the values of the name that `setattr` is given: a text, one of a list, or one that is asked for."""
    match where:
        case ast.Constant(value=str(name)):
            return [name]
        case ast.Name(id=name):
            binding = file_map.the_binding(name, where)
            if binding is None or not isinstance(binding.node, ast.For):
                return None
            if isinstance(binding.node.target, ast.Name):
                return _texts(binding.node.iter, file_map)
            return _asked_for(name, where, file_map)
    return None


def _asked_for(name: str, where: ast.expr, file_map: FileMap) -> list[str] | None:
    for node in file_map.parents(where):
        if isinstance(node, ast.If):
            for test in node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]:
                match test:
                    case ast.Compare(left=ast.Name(id=left), ops=[ast.In()], comparators=[texts]) if left == name:
                        return _texts(texts, file_map)
    return None


def _texts(expr: ast.expr, file_map: FileMap) -> list[str] | None:
    """Read a list of texts, written here or under a name."""
    if isinstance(expr, ast.Name):
        binding = file_map.the_binding(expr.id, expr)
        return None if binding is None or binding.value is None else _texts(binding.value, file_map)
    if not isinstance(expr, ast.List | ast.Tuple | ast.Set):
        return None
    found = [one.value for one in expr.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return found if len(found) == len(expr.elts) and found else None


def _ends_in(node: ast.expr, names: tuple[str, ...]) -> bool:
    return (node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")) in names


def refuse_namesakes(targets: tuple[str, ...], file_map: FileMap) -> None:
    """Refuse names that plain layers of the file have, too.

    Raises:
        Unmovable: PEFT would adapt those as well.
    """
    for call in file_map.calls():
        parent = file_map.parent(call)
        if _ends_in(call.func, ("Linear", "Conv2d", "Conv1D")) and isinstance(parent, ast.Assign):
            for target in parent.targets:
                if isinstance(target, ast.Attribute) and target.attr in targets:
                    raise Unmovable(call, f"{target.attr} is a plain layer here: PEFT would adapt it, too")
