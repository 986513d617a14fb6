"""What it costs to turn an adapter of a gigabyte into LoRA: time beside `cp`, and anonymous memory.

adalint is a wheel of this checkout with NumPy, in an environment of its own. The adapter is made up: the shapes of a
large model, ranks from 40 to 64, random numbers. A copy is timed as `cp` leaves it, in the page cache, and as it is on
the disk, with `sync` after it: adalint gives its result no name before it is on the disk and has been read again.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from measuring import install, options, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

HIDDEN, INIT_R, MODULES = 4096, 64, 580
AT_MOST = {"F32": 4.0, "BF16": 8.0}  # a gigabyte of bfloat16 is twice as many numbers, which NumPy has not
AT_MOST_MEMORY = 300
DTYPES = {"F32": ("<f4", 4), "BF16": ("<u2", 2)}


def make_adapter(folder: Path, dtype: str, modules: int) -> int:
    """Write an adapter by hand, so that nothing that is measured makes it; give its size in bytes."""
    stored, size = DTYPES[dtype]
    entries: dict[str, object] = {}
    masks: dict[str, list[bool]] = {}
    ranks: list[int] = []
    at = 0
    for number in range(modules):
        path = f"model.layers.{number // 4}.self_attn.{'qkvo'[number % 4]}_proj"
        rank = INIT_R - number % 25
        masks[f"{path}.lora_E"] = [place < rank for place in range(INIT_R)]
        ranks.append(rank)
        for part, shape in (("A", [rank, HIDDEN]), ("B", [HIDDEN, rank]), ("E", [rank, 1])):
            stop = at + shape[0] * shape[1] * size
            entries[f"base_model.model.{path}.lora_{part}"] = {
                "dtype": dtype,
                "shape": shape,
                "data_offsets": [at, stop],
            }
            at = stop
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    random = np.random.default_rng(0).standard_normal(INIT_R * HIDDEN).astype("<f4")
    numbers = random if dtype == "F32" else (random.view("<u4") >> 16).astype(stored)
    folder.mkdir()
    with (folder / "adapter_model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for rank in ranks:
            for count in (rank * HIDDEN, HIDDEN * rank, rank):
                file.write(numbers[:count].tobytes())
    values = {"peft_type": "ADALORA", "init_r": INIT_R, "target_r": 40, "lora_alpha": 16, "total_step": 1000}
    targets = [f"{name}_proj" for name in "qkvo"]
    config = {**values, "target_modules": targets, "rank_pattern": masks}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return at


def seconds(work: Callable[[], None], target: Path) -> float:
    """Time one piece of work that makes `target`, with nothing left to be written by others, and take that away."""
    os.sync()
    start = time.perf_counter()
    work()
    spent = time.perf_counter() - start
    shutil.rmtree(target)
    return spent


def anonymous(process: int) -> int:
    """Give the anonymous memory of a process in kibibytes; 0 when it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")), 0)


def peak(command: list[str | Path]) -> int:
    """Run a command and give the most anonymous memory that it had, in mebibytes, looked at every 2 ms."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    most = 0
    while child.poll() is None:
        most = max(most, anonymous(child.pid))
        time.sleep(0.002)
    if child.returncode:
        raise SystemExit(f"adalint exited with {child.returncode}")
    return most // 1024


def measure(adalint: Path, scratch: Path, dtype: str, rounds: int) -> bool:
    """Measure one type of numbers; tell whether the goals are met."""
    source, target, copy = scratch / f"adapter-{dtype}", scratch / "lora", scratch / "copy"
    size = make_adapter(source, dtype, MODULES * 4 // DTYPES[dtype][1])
    command: list[str | Path] = [adalint, "migrate", "adalora-to-lora", source, "-o", target, "--write", "--quiet"]
    works: dict[str, tuple[Callable[[], None], Path]] = {
        "cp": (lambda: _run("cp", "-r", source, copy), copy),
        "cp, sync": (lambda: _run("sh", "-c", 'cp -r "$1" "$2" && sync "$2"/*', "sh", source, copy), copy),
        "adalint": (lambda: _run(*command), target),
    }
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, (work, made) in works.items():
            spent[name].append(seconds(work, made))
    memory = peak(command)
    written = sum(path.stat().st_size for path in target.iterdir())
    shutil.rmtree(target)
    shutil.rmtree(source)
    medians = {name: statistics.median(all_) for name, all_ in spent.items()}
    print(f"\n{dtype}: {size / 1e9:.2f} GB become {written / 1e9:.2f} GB")
    for name, median in medians.items():
        print(f"  {name:<12}{median * 1000:9.0f} ms{medians['adalint'] / median:8.2f} ×")
    print(f"  anonymous memory {memory} MB (goal ≤ {AT_MOST_MEMORY} MB) {verdict(memory <= AT_MOST_MEMORY)}")
    at_most = AT_MOST[dtype]
    ratio = medians["adalint"] / medians["cp, sync"]
    print(f"  adalint / cp, sync: {ratio:.2f} × (goal ≤ {at_most:g} ×) {verdict(ratio <= at_most)}")
    return ratio <= at_most and memory <= AT_MOST_MEMORY


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


def main() -> None:
    """Prepare, measure and print; exit with 1 when a goal is missed."""
    given = options(__doc__, 5, "runs").parse_args()
    programs = install(given.cache / "convert", "[migrate]")
    print(f"{given.rounds} rounds, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory(prefix="adalint-benchmark-") as scratch:
        good = [measure(programs / "adalint", Path(scratch), dtype, given.rounds) for dtype in DTYPES]
    raise SystemExit(not all(good))


if __name__ == "__main__":
    main()
