"""What a Python text uses of the original loralib: its layers, its allocator, and all that goes with them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adalint.readers.python_bindings import Binding
    from adalint.readers.python_scopes import FileMap

OF_ADALORA: Final = ("SVDLinear", "RankAllocator", "compute_orth_regu")
"""What only the loralib of AdaLoRA has; the one on PyPI is plain LoRA."""

OF_THE_FORK: Final = ("model_args", "tb_writter")
"""What the Trainer of loralib's copy of transformers takes beside the allocator, and no other."""

_MOVED: Final = (*OF_ADALORA, "mark_only_lora_as_trainable", "lora_state_dict")


class Unmovable(Exception):
    """Something stays as it is, and the file with it; the message is one sentence."""

    def __init__(self, node: ast.AST, text: str) -> None:
        super().__init__(text)
        self.node = node
        self.text = text


@dataclass(slots=True)
class Uses:
    """The calls of loralib by what is called, the imports that bring it, and what is used of it otherwise."""

    calls: dict[str, list[ast.Call]] = field(default_factory=lambda: {name: [] for name in _MOVED})
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    others: list[ast.expr] = field(default_factory=list)
    starred: ast.ImportFrom | None = None
    """An import of all that loralib has, where names of it are used."""

    @property
    def first(self) -> ast.Call | None:
        """The first call that is AdaLoRA's own; None where there is none."""
        own = [call for name in OF_ADALORA for call in self.calls[name]]
        return min(own, key=lambda call: (call.lineno, call.col_offset), default=None)


def uses_of(file_map: FileMap) -> Uses:
    """Find all uses of loralib, or of a copy of it under that name."""
    found = Uses()
    starred: list[ast.ImportFrom] = []
    for node in file_map.nodes():
        if isinstance(node, ast.Import | ast.ImportFrom) and _brings(node):
            found.imports.append(node)
            if node.names[0].name == "*" and isinstance(node, ast.ImportFrom):
                starred.append(node)
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        parent = file_map.parent(node)
        if isinstance(parent, ast.Attribute):
            continue  # the whole dotted name counts
        path = file_map.path_of(node) or ""
        if "loralib" not in path.split("."):
            continue
        name = path.rpartition(".")[2]
        if isinstance(parent, ast.Call) and parent.func is node and name in _MOVED:
            found.calls[name].append(parent)
        else:
            found.others.append(node)
    loose = {one.func.id for one in file_map.calls() if isinstance(one.func, ast.Name)}
    if starred and not loose.isdisjoint(OF_ADALORA):
        found.starred = starred[0]
    for calls in found.calls.values():
        calls.sort(key=lambda call: (call.lineno, call.col_offset))
    found.imports.sort(key=lambda node: node.lineno)
    return found


def _brings(node: ast.Import | ast.ImportFrom) -> bool:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.Import):
        return any("loralib" in name.split(".") for name in names)
    return "loralib" in (node.module or "").split(".") or "loralib" in names


def arguments(
    call: ast.Call, names: tuple[str, ...], needed: int, more: frozenset[str] = frozenset()
) -> dict[str, ast.expr]:
    """Give the arguments of a call by their names, of which the first ones are needed.

    Raises:
        Unmovable: some are not shown, are missing, or have names that loralib does not know.
    """
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "the call")
    if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
        raise Unmovable(call, f"{called}: arguments are given that the call does not show by name")
    if len(call.args) > len(names):
        raise Unmovable(call, f"{called} has more arguments than loralib's")
    given = dict(zip(names, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is not None:
            if keyword.arg not in names and keyword.arg not in more:
                raise Unmovable(call, f"{called} of loralib knows no {keyword.arg}")
            given[keyword.arg] = keyword.value
    missing = [name for name in names[:needed] if name not in given]
    if missing:
        raise Unmovable(call, f"{called} without {', '.join(missing)} raises TypeError")
    return given


def seen_from(expr: ast.expr, place: ast.expr, file_map: FileMap) -> bool:
    """Tell whether an expression means the same at another place, where all its names have their values."""
    same = all(
        file_map.owner_of(part.id, part)[0] is file_map.owner_of(part.id, place)[0]
        for part in ast.walk(expr)
        if isinstance(part, ast.Name)
    )
    return same and file_map.names_bound_before(expr, place) and not _set_between(expr, place, file_map)


def _set_between(expr: ast.expr, place: ast.expr, file_map: FileMap) -> bool:
    """Tell whether an attribute that an expression reads, as `args.steps`, is set after a place and before it."""
    reads = {ast.unparse(part): part.attr for part in ast.walk(expr) if isinstance(part, ast.Attribute)}
    frame = file_map.frame_of(place)
    return any(
        isinstance(one.ctx, ast.Store | ast.Del)
        and ast.unparse(one) == text
        and place.lineno < one.lineno <= getattr(expr, "lineno", 0)
        and file_map.frame_of(one) is frame
        for text, attribute in reads.items()
        for one in file_map.attributes_named(attribute)
    )


def wrapper_of(binding: Binding, name: str) -> str | None:
    """Write what undoes the wrapping that binds a name anew, `{}` for the name; None where nothing wraps it.

    loralib finds its parameters through any wrapper; PEFT's methods are those of the model inside.
    """
    statement = binding.node
    call = statement.value if isinstance(statement, ast.Assign) else None
    if not isinstance(call, ast.Call) or name not in {one.id for one in call.args if isinstance(one, ast.Name)}:
        return None
    if isinstance(call.func, ast.Attribute) and call.func.attr == "prepare":
        return f"{ast.unparse(call.func.value)}.unwrap_model({{}})"
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return "{}.module" if called in {"DataParallel", "DistributedDataParallel", "DDP"} else None


def inside(model: ast.expr, file_map: FileMap) -> str:
    """Write a model without the wrappers that the text puts around it."""
    text = ast.unparse(model)
    if not isinstance(model, ast.Name):
        return text
    for binding in file_map.bindings(model.id, model):
        wrapper = wrapper_of(binding, model.id)
        if wrapper is not None:
            text = wrapper.format(text)
    return text


def same_model(one: ast.expr, model: ast.expr, file_map: FileMap) -> bool:
    """Tell whether an expression is the model, unwrapped or not, or what a function is handed for it."""
    match one:
        case ast.Call(args=[inner]):
            return same_model(inner, model, file_map)
        case ast.Attribute(value=inner, attr="module"):
            return same_model(inner, model, file_map)
        case ast.Name(id=name) if name != ast.unparse(model):
            return any(isinstance(binding.node, ast.arg) for binding in file_map.bindings(name, one))
    return ast.unparse(one).rpartition(".")[2] == ast.unparse(model).rpartition(".")[2]


def is_old_trainer(call: ast.Call, file_map: FileMap) -> bool:
    """Tell whether a call makes the Trainer of loralib's copy of transformers, or one elsewhere that extends it."""
    given = {one.arg for one in call.keywords}
    path = file_map.path_of(call.func) or ""
    if "rankallocator" not in given or not path.endswith("Trainer"):
        return False
    return path.startswith("transformers.") or given.issuperset({"model", "args", *OF_THE_FORK})
