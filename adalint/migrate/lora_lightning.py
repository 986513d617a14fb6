"""Hooks that a LightningModule needs when its LoRA becomes AdaLoRA: the allocator's call, and the schedule's length."""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING, Final

from adalint.readers.python_scopes import FUNCTIONS, map_of
from adalint.readers.python_shapes import last_name
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from adalint.readers.python_scopes import FileMap
    from adalint.source import Source

_HOOKS: Final = frozenset({"optimizer_step", "on_train_start"})
_STEP: Final = """\
def optimizer_step(self, *args, **kwargs):
    super().optimizer_step(*args, **kwargs)
    {owner}.update_and_allocate(self.global_step)  # after the step, while the gradients are there
"""


def lightning_edits(
    source: Source, length: str | None, schedule: Callable[[str, str], list[str]]
) -> tuple[Edit, ...] | None:
    """Put `optimizer_step` into the one LightningModule that holds the model, and `on_train_start` with a schedule.

    `schedule` writes the statements for a model and a length; without a length there is none to set.

    None where there is none or several, where it optimizes by hand, or has such a method already.
    """
    file_map = map_of(source)
    modules = [node for node in file_map.nodes() if isinstance(node, ast.ClassDef) and _is_module(node, file_map)]
    if len(modules) != 1 or b"automatic_optimization" in source.content:
        return None
    [module] = modules
    methods = {one.name: one for one in module.body if isinstance(one, FUNCTIONS)}
    owner = _held(module) or _handed(module, file_map)
    if owner is None or _HOOKS & set(methods) or "training_step" not in methods:
        return None
    last = module.body[-1]
    if not isinstance(last, FUNCTIONS):
        return None
    indent = " " * last.col_offset
    stop = source.line_span(last.end_lineno or last.lineno).stop
    if source.slice(Span(file_map.span(last).stop, stop)).strip():
        return None
    text = _STEP.format(owner=owner)
    if length is not None:
        body = "".join(f"    {line}\n" for line in schedule(owner, length))
        text = f"def on_train_start(self):\n{body}\n{text}"
    written = f"\n\n{textwrap.indent(text.rstrip(), indent)}".replace("\n", source.newline)
    return (Edit(Span(stop, stop), written),)


def _is_module(node: ast.ClassDef, file_map: FileMap) -> bool:
    paths = [file_map.path_of(base) or "" for base in node.bases]
    return any(path.endswith(".LightningModule") and "lightning" in path for path in paths)


def _held(module: ast.ClassDef) -> str | None:
    """Find the attribute that holds the wrapped model: what `get_peft_model` is assigned to in the class."""
    found = {
        ast.unparse(target)
        for node in ast.walk(module)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if last_name(node.value.func) == "get_peft_model"
        for target in node.targets
        if isinstance(target, ast.Attribute)
    }
    return found.pop() if len(found) == 1 else None


def _handed(module: ast.ClassDef, file_map: FileMap) -> str | None:
    """Find the attribute that keeps the wrapped model which the module is made with."""
    made = [call for call in file_map.calls() if file_map.class_named(call.func) is module]
    start = next((one for one in module.body if isinstance(one, FUNCTIONS) and one.name == "__init__"), None)
    if len(made) != 1 or start is None:
        return None
    parameters = [one.arg for one in start.args.args[1:]]
    given = [*zip(parameters, made[0].args, strict=False), *((one.arg, one.value) for one in made[0].keywords)]
    wrapped = {name for name, value in given if _is_wrapped(value, file_map)}
    kept = {
        ast.unparse(node.targets[0])
        for node in ast.walk(start)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
        if isinstance(node.value, ast.Name) and node.value.id in wrapped
    }
    return kept.pop() if len(kept) == 1 else None


def _is_wrapped(value: ast.expr, file_map: FileMap) -> bool:
    if isinstance(value, ast.Name):
        bindings = file_map.bindings(value.id, value)
        last = max(bindings, key=lambda one: getattr(one.node, "lineno", 0), default=None)
        value = value if last is None or last.value is None else last.value
    return isinstance(value, ast.Call) and last_name(value.func) == "get_peft_model"
