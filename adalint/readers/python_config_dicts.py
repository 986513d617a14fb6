"""Configurations that MMEngine, and XTuner on top of it, build from the dicts of a config module.

`dict(type=AdaLoraConfig, init_r=12)` becomes `AdaLoraConfig(init_r=12)` in a registry; `dict(peft_type="ADALORA", …)`
goes to PEFT through the user's own code. Neither says anything in a file that is no config of MMEngine.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from adalint.readers.mapping_signs import LORA_FIELDS, OWN_FIELDS
from adalint.readers.mappings import CLASS
from adalint.readers.python_roles import Role, role_of
from adalint.schema import FIELDS
from adalint.site import Surface
from adalint.values import UNKNOWN, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adalint.readers.python_dicts import Entries
    from adalint.readers.python_flow import Flow
    from adalint.readers.python_scopes import FileMap

HOUSEKEEPING: Final = frozenset({"type", "_delete_", "_scope_"})
"""Keys that the registry and the merge of configs take for themselves."""

SIGNS: Final = (b"mmengine", b"xtuner", b"_base_", b"custom_imports", b"default_scope", b"mmcv", b"mmdet", b"mmseg")
"""One of these stands in every config module of MMEngine."""

_PACKAGES: Final = re.compile(r"(?:mmengine|mmcv|mmdet|mmdet3d|mmseg|mmpose|mmpretrain|mmaction|mmagic|xtuner)(?:\.|$)")
_SETTINGS: Final = frozenset({"_base_", "custom_imports", "default_scope"})
"""Names of its module that only MMEngine reads."""

_NAMED: Final = re.compile(rf"AdaLoraConfig|{CLASS.pattern}")
_FILLED_IN: Final = "{{"
"""MMEngine puts something else in its place: a value of a base config, a variable of the environment."""


@dataclass(frozen=True, slots=True)
class ConfigDict:
    """A dict that configures AdaLoRA, what names it, and whether a base config or other code may add to it."""

    node: ast.expr
    named_by: ast.expr
    surface: Surface
    open: bool


def config_dicts(flow: Flow, is_class: Callable[[ast.expr], bool]) -> Iterator[ConfigDict]:
    """Find the dicts of a config module that configure AdaLoRA and are left as they are written."""
    file_map = flow.map
    if not any(sign in file_map.source.content for sign in SIGNS) or not _is_config(file_map):
        return
    for node in file_map.nodes():
        if not isinstance(node, ast.Dict | ast.Call) or not _is_display(node, file_map):
            continue
        written = _written(node)
        kind, peft_type = written.get("type"), written.get("peft_type")
        if kind is not None:
            named = kind.value if isinstance(kind, ast.Constant) else None
            surface = Surface.CALL
            if not (is_class(kind) or (isinstance(named, str) and _NAMED.fullmatch(named))):
                continue
        elif peft_type is not None and flow.value(peft_type) == Literal("ADALORA") and _holds_fields(written, flow):
            kind, surface = peft_type, Surface.PEFT_TYPE
        else:
            continue
        holder = _Holder(file_map).of(node)
        if holder is not None:
            yield ConfigDict(node, kind, surface, open=holder)


def without_housekeeping(entries: Entries) -> Entries:
    """Leave the entries that PEFT gets; what MMEngine fills in is unknown."""
    items = {
        name: replace(item, expr=UNKNOWN) if _is_filled_in(item.expr) else item
        for name, item in entries.items.items()
        if name not in HOUSEKEEPING
    }
    return replace(entries, items=items)


def _is_filled_in(expr: object) -> bool:
    return isinstance(expr, Literal) and _FILLED_IN in str(expr.value)


def _is_config(file_map: FileMap) -> bool:
    """Tell whether a module is a config of MMEngine, or uses it."""
    for node in file_map.nodes():
        match node:
            case ast.ImportFrom(module=str(module), level=0) if _PACKAGES.match(module):
                return True
            case ast.Import(names=names) if any(_PACKAGES.match(one.name) for one in names):
                return True
            case ast.Assign(targets=[ast.Name(id=name)]) if (
                name in _SETTINGS and file_map.parent(node) is file_map.tree
            ):
                return True
    return False


def _is_display(node: ast.Dict | ast.Call, file_map: FileMap) -> bool:
    if isinstance(node, ast.Dict):
        return True
    return isinstance(node.func, ast.Name) and node.func.id == "dict" and not file_map.bindings("dict", node)


def _written(node: ast.Dict | ast.Call) -> dict[str, ast.expr]:
    """Give what a display says by name itself."""
    if isinstance(node, ast.Call):
        return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
    pairs = zip(node.keys, node.values, strict=True)
    return {key.value: value for key, value in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def _holds_fields(written: dict[str, ast.expr], flow: Flow) -> bool:
    """Tell whether a dict with a `peft_type` holds PEFT's fields, each one value and not several to choose from."""
    names = written.keys() - {"peft_type"}
    if any(name.lower().startswith("adalora") for name in names) or not names & (OWN_FIELDS | LORA_FIELDS):
        return False
    numbers = [flow.value(written[name]) for name in names if name in FIELDS and FIELDS[name].numeric]
    return not any(isinstance(expr, Literal) and isinstance(expr.value, list | dict) for expr in numbers)


class _Holder:
    """Follows a dict to what holds it: other dicts, names, the base config that it is merged into."""

    def __init__(self, file_map: FileMap) -> None:
        self.map = file_map
        self._seen: set[ast.AST] = set()
        self._based = bool(file_map.bindings("_base_", file_map.tree))

    def of(self, node: ast.expr) -> bool | None:
        """Tell whether something may add to a dict; None when it may be changed."""
        deleted = False
        while True:
            self._seen.add(node)
            deleted = deleted or (isinstance(node, ast.Dict | ast.Call) and _deletes(node))
            around = self.map.parent(node)
            if isinstance(around, ast.keyword):
                around = self.map.parent(around)
            if not isinstance(around, ast.Dict | ast.List | ast.Tuple) and not (
                isinstance(around, ast.Call) and _is_display(around, self.map)
            ):
                break
            node = around
        match around:
            case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
                return None if self._is_changed(target) else self._based and not deleted
            case ast.Call(func=ast.Attribute(value=owner, attr="update" | "merge")):
                return None if self._is_changed(owner) else not deleted
            case ast.Call(func=ast.Attribute(attr="build")):
                return False
        return not deleted

    def _is_changed(self, holder: ast.expr) -> bool:
        """Tell whether the dict under a name may be changed, or gets another name under which it is."""
        name = holder
        while isinstance(name, ast.Subscript | ast.Attribute):
            name = name.value
        if not isinstance(name, ast.Name):
            return True
        for use in self.map.uses(name.id, name):
            if use is name or use in self._seen or isinstance(use.ctx, ast.Store):
                continue
            self._seen.add(use)
            if _is_put_into_a_display(use, self.map):
                if self.of(use) is None:
                    return True
            elif role_of(self.map, use) not in {Role.READ, Role.COPY}:
                return True
        return False


def _is_put_into_a_display(use: ast.Name, file_map: FileMap) -> bool:
    around = file_map.parent(use)
    if isinstance(around, ast.keyword) and around.arg is not None:
        call = file_map.parent(around)
        return isinstance(call, ast.Call) and _is_display(call, file_map)
    if isinstance(around, ast.Dict):
        return use in around.values and around.keys[around.values.index(use)] is not None
    return isinstance(around, ast.List | ast.Tuple)


def _deletes(node: ast.Dict | ast.Call) -> bool:
    """Tell whether a dict takes the place of what the base config has there."""
    flag = _written(node).get("_delete_")
    return isinstance(flag, ast.Constant) and flag.value is True
