"""How long `adalint check` takes for ten thousand saved adapters, beside the least that looks at each.

The least is a script that walks the same folders, searches each configuration for the name, parses it, and parses the
header of the weights beside it. adalint is a wheel of this checkout, installed into an environment of its own. The two
take turns, each in a process of its own, and their medians are compared; what adalint finds is counted.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import build, environment

AT_MOST = 3.0
LAYERS, RANK, KEPT = 32, 12, 8
LEAST = """
import json, os, sys
seen = 0
for folder, _, files in os.walk(sys.argv[1]):
    if "adapter_config.json" not in files:
        continue
    with open(os.path.join(folder, "adapter_config.json"), "rb") as file:
        text = file.read()
    if b"ADALORA" not in text:
        continue
    config = json.loads(text)
    with open(os.path.join(folder, "adapter_model.safetensors"), "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    seen += bool(config["init_r"] and header)
print(seen)
"""
"""Looks at every adapter under a folder, and tells how many there were."""


def write(folder: Path, *, allocated: bool, chance: random.Random) -> None:
    """Write one adapter: two modules in each of 32 layers, and the header of its weights over empty tensors."""
    folder.mkdir(parents=True)
    pattern: dict[str, list[bool]] = {}
    tensors: dict[str, dict[str, object]] = {}
    offset = 0
    for layer in range(LAYERS):
        for name in ("q_proj", "v_proj"):
            path = f"model.layers.{layer}.self_attn.{name}"
            left = set(chance.sample(range(RANK), KEPT))
            pattern[f"{path}.lora_E"] = [rank in left for rank in range(RANK)]
            rank = KEPT if allocated else RANK
            for part, shape in (("A", [rank, 2]), ("B", [2, rank]), ("E", [rank, 1])):
                size = 2 * shape[0] * shape[1]
                tensors[f"base_model.model.{path}.lora_{part}"] = {
                    "dtype": "F16",
                    "shape": shape,
                    "data_offsets": [offset, offset + size],
                }
                offset += size
    config = {
        "peft_type": "ADALORA",
        "base_model_name_or_path": "a/model",
        "inference_mode": True,
        "init_r": RANK,
        "target_r": KEPT,
        "tinit": 200,
        "tfinal": 500,
        "total_step": 3000,
        "lora_alpha": 32,
        "peft_version": "0.18.1",
        "rank_pattern": pattern if allocated else None,
        "target_modules": ["q_proj", "v_proj"],
        "task_type": "CAUSAL_LM",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2))
    header = json.dumps(tensors).encode()
    (folder / "adapter_model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(offset))


def timed(command: list[str | Path], codes: set[int]) -> tuple[float, str]:
    """Run a command, and give its seconds and what it printed."""
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    spent = time.perf_counter() - start
    if done.returncode not in codes:
        raise SystemExit(f"{command[0]} exited with {done.returncode}: {done.stderr[-2000:]}")
    return spent, done.stdout


def main() -> None:
    """Measure, and exit with 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--adapters", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="adalint-adapters-"))
    try:
        programs = environment(scratch / "venv", [str(build(scratch))])
        models, chance = scratch / "models", random.Random(0)  # noqa: S311 - which masks is no secret
        spoilt = 0
        for number in range(arguments.adapters):
            allocated = number % 20 != 0
            spoilt += not allocated
            write(models / f"{number // 100:03}" / f"{number:05}", allocated=allocated, chance=chance)
        times: dict[str, list[float]] = {"least": [], "adalint": []}
        for _ in range(arguments.rounds + 1):
            spent, told = timed([programs / "python", "-I", "-c", LEAST, models], {0})
            if int(told) != arguments.adapters:
                raise SystemExit(f"{told} adapters were looked at")
            times["least"].append(spent)
            spent, told = timed([programs / "adalint", "check", "--isolated", "--output-format", "json", models], {1})
            found = [finding["code"] for finding in json.loads(told)]
            if found != ["ADA501"] * spoilt:
                raise SystemExit(f"ADA501 was to be found {spoilt:,} times, and nothing else: {len(found):,} findings")
            times["adalint"].append(spent)
        medians = {name: statistics.median(spent[1:]) for name, spent in times.items()}
        ratio = medians["adalint"] / medians["least"]
        met = "met" if ratio <= AT_MOST else "missed"
        version = sys.version.partition(" ")[0]
        print(f"{arguments.adapters:,} adapters, {spoilt:,} with findings, {arguments.rounds} rounds, Python {version}")
        print(f"  the least {medians['least']:8.2f} s   adalint check {medians['adalint']:8.2f} s")
        print(f"  {ratio:.2f} × (goal ≤ {AT_MOST:g} ×) {met}")
        sys.exit(int(ratio > AT_MOST))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
