"""Layers that loralib's copy of transformers makes by keywords of a configuration, and no code of the project."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_layers import Layers, without
from adalint.migrate.loralib_names import Unmovable

if TYPE_CHECKING:
    from adalint.readers.python_scopes import FileMap
    from adalint.source import Edit

_KEYWORDS: Final = (
    "apply_lora",
    "apply_adapter",
    "lora_type",
    "lora_module",
    "lora_alpha",
    "lora_r",
    "reg_loss_wgt",
    "masking_prob",
)
"""What the copy takes in `from_pretrained` of a configuration; transformers itself passes over them."""

_ASKING: Final = {"apply_lora": True, "lora_type": "svd"}
_TELLING: Final = ("lora_r", "lora_alpha", "lora_module")

MODULES: Final = "adapted_modules"
MODULES_TEXT: Final = f'''\
def {MODULES}(model, slots):
    """Name the linear layers that slots stand for: query is query_proj as well, attention.output its dense layer."""
    found = []
    for name, layer in model.named_modules():
        place = "." + ".".join(part for part in name.split(".") if not part.isdigit())
        ends = [f".{{slot}}{{more}}" for slot in slots for more in ("", "_proj", ".dense")]
        if hasattr(layer, "in_features") and place.endswith(tuple(ends)):
            found.append(name)
    return found
'''

TRAINED: Final = "trained_modules"
TRAINED_TEXT: Final = f'''\
def {TRAINED}(model):
    """Name the modules with parameters that are not frozen: PEFT trains and saves them beside the adapter."""
    return sorted({{name.rpartition(".")[0] for name, one in model.named_parameters() if one.requires_grad}})
'''


def asks_for_layers(file_map: FileMap) -> bool:
    """Tell whether a configuration is asked for layers of loralib."""
    return any(_asks(one, file_map) for one in file_map.calls())


def _asks(call: ast.Call, file_map: FileMap) -> bool:
    given = {one.arg for one in call.keywords}
    return {"lora_r", "lora_module"} <= given and (file_map.path_of(call.func) or "").startswith("transformers.")


def layers_by_keywords(file_map: FileMap) -> tuple[Layers, list[Edit]] | None:
    """Tell the layers that the configuration of a model asks for, and take the keywords out; None where it asks none.

    Raises:
        Unmovable: two configurations ask for different ones.
    """
    edits: list[Edit] = []
    asked: dict[str, ast.expr] = {}
    for call in file_map.calls():
        if not _asks(call, file_map):
            continue
        given = {one.arg: one.value for one in call.keywords if one.arg is not None}
        for name, value in _ASKING.items():
            one = given.get(name)
            if not isinstance(one, ast.Constant) or one.value != value:
                said = "nothing" if one is None else ast.unparse(one)
                raise Unmovable(call, f"whether the model has layers of AdaLoRA is left to {name}: {said}")
        for name in _TELLING:
            if name not in given:
                raise Unmovable(call, f"{name} of the layers is not told here")
            if ast.unparse(asked.setdefault(name, given[name])) != ast.unparse(given[name]):
                raise Unmovable(call, f"the configurations of the model differ in {name}")
        mine: list[ast.expr | ast.keyword] = [one for one in call.keywords if one.arg in _KEYWORDS]
        edits += without([*call.args, *call.keywords], mine, file_map)
    if not asked:
        return None
    return Layers(asked["lora_r"], asked["lora_alpha"], None, (), asked["lora_module"]), edits
