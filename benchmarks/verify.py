"""How long it takes to run a configuration: the reference adapter beside PEFT on torch, and `adalint verify`.

adalint is a wheel of this checkout, installed into an environment of its own. PEFT and torch are those of the
interpreter that runs this script (`pip install -e '.[test]'`), or of the one named with `--python`; the same wheel is
laid over it. What is compared takes turns in one run, as ratios of medians, and each exit code is checked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import Command, Goal, build, compare, install, options, pip, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNS = """
import json, statistics, sys, time
import torch
import adalint
from adalint import peft_run
from adalint.plan import RIGHT_LOOP, Plan
from adalint.reference import Task, run
from adalint.schema import defaults
from adalint.values import Literal

fields = {"tinit": 100, "tfinal": 200, "deltaT": 10, "total_step": 1000, "task_type": "CAUSAL_LM"}
values = {name: Literal(value) for name, value in {**defaults(), **fields}.items()}
plan = Plan(values, dict.fromkeys(fields, True), RIGHT_LOOP, 4)
threads = torch.get_num_threads()
ran, spent = {}, {}


def timed(name, work):
    start = time.perf_counter()
    ran[name] = work()
    spent.setdefault(name, []).append(time.perf_counter() - start)


for _ in range(int(sys.argv[1])):
    timed("reference", lambda: run(plan, Task(), longest=1000))
    for count in sorted({1, threads}):
        torch.set_num_threads(count)
        timed(f"PEFT, torch with {count} threads", lambda: peft_run.run(plan, Task()))
told = {name: (len(one.losses), one.losses[0], sum(one.kept)) for name, one in ran.items()}
medians = {name: statistics.median(seconds) for name, seconds in spent.items()}
print(json.dumps([adalint.__file__, peft_run.installed(), torch.__version__, told, medians]))
"""
"""Runs 1,000 steps of the default toy on both; tells where adalint comes from, the releases, what was run, medians."""

SCRIPT = '''"""Fine-tune a model with AdaLoRA."""

from peft import AdaLoraConfig, get_peft_model

config = AdaLoraConfig(
    r=16,
    init_r=8,
    target_r=16,
    use_rslora=True,
    tinit=100,
    tfinal=200,
    deltaT=10,
    total_step=1000,
    task_type="CAUSAL_LM",
    target_modules=["q_proj", "v_proj"],
)
model = get_peft_model(base, config)
for step, batch in enumerate(loader):
    model(**batch).loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
'''
FINDINGS = 3


def beside_peft(python: Path, wheel: Path, scratch: Path, rounds: int) -> bool:
    """Run the toy on the reference adapter and in PEFT in one process; tell whether the goal is met."""
    over = scratch / "over"
    pip(sys.executable, "install", "--no-deps", "--target", over, wheel)
    variables = {**os.environ, "PYTHONPATH": str(over)}
    command: list[str | Path] = [python, "-c", RUNS, str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables, cwd=scratch)
    if done.returncode:
        raise SystemExit(f"{python} needs peft, torch and numpy: {done.stderr[-2000:]}")
    place, peft, torch, told, medians = json.loads(done.stdout.splitlines()[-1])
    if not Path(place).is_relative_to(over):
        raise SystemExit(f"adalint came from {place}, not from the wheel")
    _check_same_work(told)
    reference = medians.pop("reference")
    print(
        f"\n1,000 steps of the default toy, PEFT {peft}, torch {torch}\n  {'reference':<34}{reference * 1000:9.1f} ms"
    )
    for name, spent in medians.items():
        print(f"  {name:<34}{spent * 1000:9.1f} ms")
    ratio = reference / min(medians.values())
    good = bool(ratio <= 0.25)
    print(f"  reference / the faster PEFT: {ratio:.3f} × (goal ≤ 0.25 ×) {verdict(good)}")
    return good


def _check_same_work(told: Mapping[str, tuple[int, float, int]]) -> None:
    """Make sure that all ran the same steps, started alike and kept as many ranks."""
    steps, loss, kept = told["reference"]
    for name, (other_steps, other_loss, other_kept) in told.items():
        if (steps, kept) != (other_steps, other_kept) or abs(loss - other_loss) > 1e-9 * abs(loss):
            raise SystemExit(f"{name} did not run what the reference did: {told}")


def one_command(cache: Path, scratch: Path, rounds: int) -> bool:
    """Verify a script with three findings; tell whether the goal is met."""
    programs = install(cache / "verify", requirements=("numpy>=1.26",))
    script = scratch / "train.py"
    script.write_text(SCRIPT)
    arguments: list[str | Path] = [programs / "adalint", "verify", "--isolated", script]
    done = subprocess.run([*arguments, "--output-format", "json"], capture_output=True, text=True, check=True)
    engines = [entry["evidence"]["engine"] for entry in json.loads(done.stdout)]
    if engines != ["reference"] * FINDINGS:
        raise SystemExit(f"{FINDINGS} findings were to be run on the reference adapter: {engines}")
    return compare(
        "one process",
        {
            'python -c "import click"': Command([programs / "python", "-c", "import click"]),
            "python -c 'import numpy'": Command([programs / "python", "-c", "import numpy"]),
            "adalint check": Command([programs / "adalint", "check", "--isolated", script], frozenset({1})),
            "adalint verify": Command(arguments),
        },
        [Goal("adalint verify", 'python -c "import click"', 15)],
        3 * rounds,
    )


def main() -> None:
    """Prepare, measure and print; exit with 1 when a goal is missed."""
    parser = options(__doc__, 7, "rounds")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="an interpreter with PEFT and torch")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="adalint-benchmark-") as folder:
        scratch = Path(folder)
        good = [
            beside_peft(given.python.absolute(), build(scratch), scratch, given.rounds),
            one_command(given.cache, scratch, given.rounds),
        ]
    raise SystemExit(not all(good))


if __name__ == "__main__":
    main()
