"""Adapters written by hand, a file at a time: small numbers, any mistake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Q, V = "layers.0.q", "layers.0.v"
MASKS = {Q: [True, True, True, False], V: [True, False, False, False]}


def config(**changes: Any) -> dict[str, Any]:
    """Give the configuration of an adapter of two modules, of ranks 3 and 1."""
    values = {
        "peft_type": "ADALORA",
        "base_model_name_or_path": "some/model",
        "task_type": "CAUSAL_LM",
        "target_modules": ["q", "v"],
        "init_r": 4,
        "target_r": 2,
        "lora_alpha": 8,
        "total_step": 10,
        "rank_pattern": {f"{path}.lora_E": mask for path, mask in MASKS.items()},
    }
    return {**values, **changes}


def tensors(dtype: str = "float32", ranks: Mapping[str, int] | None = None) -> dict[str, np.ndarray]:
    """Give the weights that belong to it: 6 features in, 5 out."""
    rng = np.random.default_rng(0)
    made = {}
    for path, rank in (ranks or {Q: 3, V: 1}).items():
        for part, shape in (("lora_A", (rank, 6)), ("lora_B", (5, rank)), ("lora_E", (rank, 1))):
            made[f"base_model.model.{path}.{part}"] = rng.standard_normal(shape).astype(dtype)
    return made


def save(folder: Path, values: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> Path:
    """Write an adapter."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps(values))
    save_file(dict(weights), folder / "adapter_model.safetensors", metadata={"format": "pt"})
    return folder
