"""What a Python text uses of the original loralib: its layers, its allocator, and all that goes with them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adalint.readers.python_scopes import FileMap

OF_ADALORA: Final = ("SVDLinear", "RankAllocator", "compute_orth_regu")
"""What only the loralib of AdaLoRA has; the one on PyPI is plain LoRA."""

_MOVED: Final = (*OF_ADALORA, "mark_only_lora_as_trainable", "lora_state_dict")


class Unmovable(Exception):
    """Something stays as it is, and the file with it; the message is one sentence."""

    def __init__(self, node: ast.AST, text: str) -> None:
        super().__init__(text)
        self.node = node
        self.text = text


@dataclass(frozen=True, slots=True)
class Uses:
    """The calls of loralib by what is called, the imports that bring it, and what is used of it otherwise."""

    calls: dict[str, list[ast.Call]] = field(default_factory=lambda: {name: [] for name in _MOVED})
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    others: list[ast.expr] = field(default_factory=list)

    @property
    def first(self) -> ast.Call | None:
        """The first call that is AdaLoRA's own; None where there is none."""
        own = [call for name in OF_ADALORA for call in self.calls[name]]
        return min(own, key=lambda call: (call.lineno, call.col_offset), default=None)


def uses_of(file_map: FileMap) -> Uses:
    """Find all uses of loralib, or of a copy of it under that name."""
    found = Uses()
    for node in file_map.nodes():
        if isinstance(node, ast.Import | ast.ImportFrom) and _brings(node):
            found.imports.append(node)
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
    for calls in found.calls.values():
        calls.sort(key=lambda call: (call.lineno, call.col_offset))
    found.imports.sort(key=lambda node: node.lineno)
    return found


def _brings(node: ast.Import | ast.ImportFrom) -> bool:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.Import):
        return any("loralib" in name.split(".") for name in names)
    return "loralib" in (node.module or "").split(".") or "loralib" in names


def arguments(call: ast.Call, names: tuple[str, ...], more: frozenset[str] = frozenset()) -> dict[str, ast.expr]:
    """Give the arguments of a call by their names.

    Raises:
        Unmovable: some are not shown, or have names that loralib does not know.
    """
    if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
        raise Unmovable(call, "arguments are given that the call does not show by name")
    if len(call.args) > len(names):
        raise Unmovable(call, "it has more arguments than loralib's")
    given = dict(zip(names, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is not None:
            if keyword.arg not in names and keyword.arg not in more:
                raise Unmovable(call, f"loralib knows no {keyword.arg}")
            given[keyword.arg] = keyword.value
    return given


def seen_from(expr: ast.expr, place: ast.expr, file_map: FileMap) -> bool:
    """Tell whether an expression means the same at another place, where all its names have their values."""
    same = all(
        file_map.owner_of(part.id, expr)[0] is file_map.owner_of(part.id, place)[0]
        for part in ast.walk(expr)
        if isinstance(part, ast.Name)
    )
    return same and file_map.names_bound_before(expr, place)
