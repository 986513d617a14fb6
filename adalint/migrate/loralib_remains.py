"""What a training would still ask of loralib's layers, configuration or Trainer once it is moved."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_names import Unmovable

if TYPE_CHECKING:
    from adalint.migrate.loralib_allocator import Allocator
    from adalint.migrate.loralib_layers import Layers
    from adalint.migrate.loralib_place import Wrapping
    from adalint.readers.python_scopes import FileMap

_TRIPLET: Final = frozenset({"lora_A", "lora_B", "lora_E"})
_OF_THE_CONFIGURATION: Final = frozenset(
    {"apply_lora", "lora_type", "lora_module", "lora_alpha", "lora_r", "apply_adapter"}
)
_OF_THE_TRAINER: Final = frozenset({"rankallocator", "model_args", "tb_writter"})
_PARTS: Final = re.compile(r"\b(?:bias|weight)\b")
_TIED: Final = re.compile(r"embed|lm_head|\bshared\b")


def refuse_remains(allocator: Allocator, wrapping: Wrapping, layers: Layers, file_map: FileMap) -> None:
    """Refuse a text that goes on asking for what PEFT does not have, or would train something else.

    Raises:
        Unmovable: there is such a place.
    """
    _refuse_second_update(allocator, file_map)
    configured = _bound_to_configurations(file_map) if layers.slots is not None else set()
    for node in file_map.nodes():
        if isinstance(node, ast.Attribute):
            _refuse_read(node, allocator, configured, file_map)
        elif isinstance(node, ast.Constant) and _ends_a_name(node, file_map):
            raise Unmovable(node, f"PEFT's names go on after {node.value!s}: this finds nothing there")
    for node in file_map.attributes_named("requires_grad") if wrapping.trains_more else ():
        if node.lineno <= (wrapping.statement.end_lineno or 0):
            _refuse_part(node, file_map)


def _refuse_second_update(allocator: Allocator, file_map: FileMap) -> None:
    seen: set[tuple[int, str]] = set()
    for statement, _, step in allocator.updates:
        block = (id(file_map.parent(statement)), ast.unparse(step))
        if block in seen and not _in_branches(statement, file_map):
            raise Unmovable(statement, "update_and_mask is called twice with one step: PEFT raises at the last cut")
        seen.add(block)


def _in_branches(statement: ast.stmt, file_map: FileMap) -> bool:
    return bool(getattr(file_map.parent(statement), "orelse", ()))


def _bound_to_configurations(file_map: FileMap) -> set[str]:
    """Name what calls give that ask for loralib's layers by keywords."""
    return {
        target.id
        for node in file_map.nodes()
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if any(one.arg in _OF_THE_CONFIGURATION for one in node.value.keywords)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _refuse_read(node: ast.Attribute, allocator: Allocator, configured: set[str], file_map: FileMap) -> None:
    held = node.value
    if node.attr in _TRIPLET:
        raise Unmovable(node, f"{ast.unparse(node)} is a tensor in loralib, and a dictionary of adapters in PEFT")
    if configured and node.attr in _OF_THE_CONFIGURATION:
        of_model = isinstance(held, ast.Attribute) and held.attr == "config"
        if of_model or (isinstance(held, ast.Name) and held.id in configured):
            raise Unmovable(node, f"{ast.unparse(node)} is told to loralib's layers, and the configuration loses it")
    if allocator.trainer is not None and node.attr in _OF_THE_TRAINER and isinstance(held, ast.Name):
        made = file_map.the_binding(held.id, held)
        if made is not None and made.value is allocator.trainer:
            raise Unmovable(node, f"{ast.unparse(node)} is kept by loralib's Trainer alone")


def _ends_a_name(node: ast.Constant, file_map: FileMap) -> bool:
    """Tell whether a text is compared with the end of a parameter's name, or with a whole part of it."""
    if not isinstance(node.value, str) or node.value.removeprefix(".") not in _TRIPLET:
        return False
    above = file_map.parent(node)
    if isinstance(above, ast.Tuple | ast.List | ast.Set):
        above = file_map.parent(above)
        if isinstance(above, ast.Compare):
            return True
    if isinstance(above, ast.Compare):
        return any(isinstance(one, ast.Eq | ast.NotEq) for one in above.ops)
    return isinstance(above, ast.Call) and isinstance(above.func, ast.Attribute) and above.func.attr == "endswith"


def _refuse_part(node: ast.Attribute, file_map: FileMap) -> None:
    """Refuse to train what is no module of its own: modules_to_save copies modules as a whole."""
    statement = file_map.statement_of(node)
    if not (isinstance(statement, ast.Assign) and isinstance(node.ctx, ast.Store)):
        return
    if isinstance(statement.value, ast.Constant) and statement.value.value is False:
        return
    loops = [
        one for one in file_map.parents(node) if isinstance(one, ast.For) and "parameters" in ast.unparse(one.iter)
    ]
    whole = loops[-1] if loops else statement
    texts = " ".join(
        str(one.value) if isinstance(one, ast.Constant) else one.attr if isinstance(one, ast.Attribute) else ""
        for one in ast.walk(whole)
    )
    if _TIED.search(texts):
        raise Unmovable(node, "weights that may be tied are trained: PEFT would train a copy of them")
    if _PARTS.search(texts):
        raise Unmovable(node, "weights or biases of a module are trained alone: modules_to_save are whole modules")
