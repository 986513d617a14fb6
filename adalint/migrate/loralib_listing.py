"""What each use of loralib would become, for files that are not moved."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_layers import modules_of
from adalint.migrate.loralib_names import Unmovable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.migrate.loralib_names import Uses
    from adalint.readers.python_scopes import FileMap

FIELDS: Final = {
    "lora_r": "init_r",
    "target_rank": "target_r",
    "init_warmup": "tinit",
    "final_warmup": "tfinal",
    "mask_interval": "deltaT",
    "beta1": "beta1",
    "beta2": "beta2",
    "total_step": "total_step",
}
"""What the arguments of RankAllocator are called in AdaLoraConfig, in their order."""

_BECOMES: Final = {
    "mark_only_lora_as_trainable": "get_peft_model(model, config), which freezes the rest of the model as well",
    "compute_orth_regu": "orth_reg_weight={weight}, which PEFT adds to outputs.loss of a model with a task_type; "
    "beside any other loss it has to stay",
    "lora_state_dict": "model.save_pretrained(folder)",
}


def uses_listed(uses: Uses, file_map: FileMap) -> list[tuple[ast.expr, str]]:
    """Give every use of loralib with what stands for it in PEFT, in the order of the text."""
    return sorted(_listed(uses, file_map), key=lambda one: (one[0].lineno, one[0].col_offset))


def _listed(uses: Uses, file_map: FileMap) -> Iterator[tuple[ast.expr, str]]:
    for call in uses.calls["SVDLinear"]:
        yield call, f"SVDLinear is nn.Linear and {_named(call, file_map)} of PEFT's configuration"
    for call in uses.calls["RankAllocator"]:
        given = dict(zip(("", *FIELDS), call.args, strict=False))
        given |= {one.arg: one.value for one in call.keywords if one.arg is not None}
        said = ", ".join(f"{to}={ast.unparse(given[name])}" for name, to in FIELDS.items() if name in given)
        yield call, f"RankAllocator is AdaLoraConfig({said})"
    for name, text in _BECOMES.items():
        for call in uses.calls[name]:
            weight = [one.value for one in call.keywords if one.arg == "regu_weight"] or call.args[1:]
            yield call, f"{name} is " + text.format(weight=ast.unparse(weight[0]) if weight else "0.1")
    for attribute in file_map.attributes_named("update_and_mask"):
        yield attribute, "update_and_mask(model, step) is model.update_and_allocate(step), in the same place"


def _named(call: ast.Call, file_map: FileMap) -> str:
    try:
        names = ", ".join(f'"{name}"' for name in modules_of(call, file_map))
    except Unmovable:
        names = "its name"
    return f"{names} in target_modules"
