"""The documented recipe for very many adapters, on a real cluster of this machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
from commands import CHECKOUT
from safetensors.numpy import save_file

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = CHECKOUT / "docs" / "examples" / "audit_with_dask.py"
HALF = [True, True, False, False]
CONFIG = {
    "peft_type": "ADALORA",
    "inference_mode": True,
    "init_r": 4,
    "target_r": 2,
    "total_step": 100,
    "target_modules": ["q"],
    "task_type": "CAUSAL_LM",
    "rank_pattern": {"h.0.q.lora_E": HALF},
}
KINDS = {
    "right": {},
    "never allocated": {"rank_pattern": None},
    "too many": {"rank_pattern": {"h.0.q.lora_E": [True, True, True, False]}},
    "emptied": {"rank_pattern": {"h.0.q.lora_E": [False] * 4}},
    "no schedule": {"total_step": None},
    "lora": {"peft_type": "LORA"},
}
TIMES = {"right": 40, "never allocated": 25, "too many": 10, "emptied": 5, "no schedule": 20, "lora": 30}


def _write(folder: Path, kind: str) -> None:
    folder.mkdir(parents=True)
    config = {**CONFIG, **KINDS[kind]}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    pattern = config["rank_pattern"] or {"h.0.q.lora_E": [True] * 4}
    rank = sum(pattern["h.0.q.lora_E"])
    if kind == "right" and folder.name.endswith("0"):
        rank += 1  # its weights are another adapter's
    prefix = "base_model.model.h.0.q.lora_"
    tensors = {f"{prefix}A": np.ones((rank, 3)), f"{prefix}B": np.ones((3, rank)), f"{prefix}E": np.ones((rank, 1))}
    save_file(tensors, folder / "adapter_model.safetensors")


def test_the_recipe_counts_what_is_wrong(tmp_path: Path) -> None:
    for kind, times in TIMES.items():
        for number in range(times):
            _write(tmp_path / "models" / kind.replace(" ", "-") / f"a{number:03}", kind)
    done = subprocess.run(
        [sys.executable, str(RECIPE), str(tmp_path / "models")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    counted = {
        kind.strip(): int(count)
        for kind, count in re.findall(r"^([A-Za-z ]+?) +(\d+)(?: |$)", done.stdout, re.MULTILINE)
    }
    assert counted == {
        "AdaLoRA adapters": 100,
        "never allocated": 25,
        "cannot be loaded": 24,
        "budget not reached": 10,
        "emptied": 5,
        "nothing found": 36,
    }
    assert re.search(r"^[1-9]\d* workers$", done.stdout, re.MULTILINE)
