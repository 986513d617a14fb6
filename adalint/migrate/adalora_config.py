"""The `adapter_config.json` of an AdaLoRA adapter: what of it decides the numbers, and the LoRA one made from it."""

from __future__ import annotations

import json
import math
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adalint.migrate import MigrationError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "adapter_config.json"

CARRIED: Final = (
    "auto_mapping",
    "base_model_name_or_path",
    "bias",
    "fan_in_fan_out",
    "layers_pattern",
    "layers_to_transform",
    "lora_dropout",
    "modules_to_save",
    "revision",
    "target_modules",
    "task_type",
)
"""Fields that LoRA reads as AdaLoRA does, and has had since PEFT 0.4: written whatever their value."""

CARRIED_WHEN_SET: Final = ("ensure_weight_tying", "exclude_modules", "layer_replication", "trainable_token_indices")
"""Fields of later releases: written only where they say something, so that older releases load the result."""

_LARGEST: Final = 64 * 1024 * 1024
_INIT_R: Final = 12
_LORA_ALPHA: Final = 8


@dataclass(frozen=True, slots=True)
class AdaLora:
    """What an AdaLoRA configuration says, with the ranks kept by the path of each module that its pattern names."""

    values: Mapping[str, Any]
    init_r: int
    lora_alpha: float
    kept: Mapping[str, int]


def read_config(folder: str) -> AdaLora:
    """Read the configuration of the adapter in a folder.

    Raises:
        MigrationError: there is none, it is not AdaLoRA's, or what it says cannot be loaded by PEFT.
    """
    values = _mapping(os.path.join(folder, NAME))
    kind = values.get("peft_type")
    if kind != "ADALORA":
        said = f"peft_type is {kind!r}" if isinstance(kind, str) else "it names no peft_type"
        raise MigrationError(f"{NAME}: {said}; adalora-to-lora takes adapters whose peft_type is ADALORA")
    init_r = values.get("init_r", _INIT_R)
    if type(init_r) is not int or init_r < 0:
        raise MigrationError(f"{NAME}: init_r is {init_r!r}, and must be a whole number")
    alpha = values.get("lora_alpha", _LORA_ALPHA)
    if type(alpha) not in {int, float} or not math.isfinite(alpha):
        raise MigrationError(f"{NAME}: lora_alpha is {alpha!r}, and must be a finite number")
    return AdaLora(values, init_r, alpha, _kept(values.get("rank_pattern"), init_r))


def lora_config(
    source: AdaLora, *, r: int, ranks: Mapping[str, int], modules: list[str]
) -> tuple[dict[str, Any], list[str]]:
    """Give the configuration of a LoRA adapter with scale 1, and the names of the fields that are dropped.

    `ranks` holds, by the pattern that PEFT finds a module with, the ranks that are not `r`.
    """
    values = source.values
    made = {name: values.get(name) for name in CARRIED}
    made |= {name: values[name] for name in CARRIED_WHEN_SET if values.get(name)}
    for name, default in (("bias", "none"), ("fan_in_fan_out", False), ("lora_dropout", 0.0)):
        if made[name] is None:
            made[name] = default
    if not made["target_modules"]:
        made["target_modules"] = modules  # LoRA's defaults for a model are not AdaLoRA's
    made |= {"peft_type": "LORA", "inference_mode": True, "init_lora_weights": True, "r": r, "lora_alpha": r}
    if ranks:
        made |= {"rank_pattern": dict(ranks), "alpha_pattern": dict(ranks)}
    return dict(sorted(made.items())), sorted(set(values) - set(made))


def _mapping(path: str) -> dict[str, Any]:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise MigrationError(f"{NAME}: it is no regular file")
        if status.st_size > _LARGEST:
            raise MigrationError(f"{NAME}: it has {status.st_size:,} bytes, which is no configuration")
        with open(path, "rb") as file:
            values = json.loads(file.read())
    except FileNotFoundError:
        raise MigrationError(f"there is no {NAME}; name the folder of an adapter") from None
    except OSError as error:
        raise MigrationError(f"{NAME}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise MigrationError(f"{NAME}: it is not JSON") from None
    if not isinstance(values, dict):
        raise MigrationError(f"{NAME}: it is no mapping")
    return values


def _kept(pattern: Any, init_r: int) -> dict[str, int]:
    """Count the ranks that a `rank_pattern` keeps, as PEFT does when it loads the adapter."""
    if pattern is None:
        return {}
    if not isinstance(pattern, dict):
        raise MigrationError(f"{NAME}: rank_pattern is no mapping of modules to masks")
    kept: dict[str, int] = {}
    for name, mask in pattern.items():
        path, found, rest = name.rpartition(".lora_E")
        if not found or not path or rest.count(".") != bool(rest):
            raise MigrationError(f"{NAME}: rank_pattern names {name}, where AdaLoRA writes MODULE.lora_E")
        if not isinstance(mask, list) or not all(type(one) is bool for one in mask):
            raise MigrationError(f"{NAME}: rank_pattern of {name} is no list of true and false")
        if len(mask) != init_r:
            reason = f"rank_pattern of {name} has {len(mask)} entries and init_r is {init_r}"
            raise MigrationError(f"{NAME}: {reason}; PEFT cannot load this adapter either")
        if path in kept:
            raise MigrationError(f"{NAME}: rank_pattern names {path} twice")
        kept[path] = sum(mask)
    return kept
