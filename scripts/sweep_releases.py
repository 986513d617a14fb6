"""Run the same probes on many releases of PEFT and write down what each shows.

    python scripts/sweep_releases.py [--releases-dir DIR] [RELEASE ...]

Releases are unpacked side by side from PyPI, with the transformers that they were made to work with, and each is run in
a process of its own. The result is `tests/data/peft_releases.json`, which the tests hold the schema, the trace and the
rule pages to. A probe is one value of one field, one training loop, or one change to a saved adapter.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from adalint.plan import RIGHT_LOOP, Counter, Event, Guard, Loop  # noqa: E402 - found by the line above

if TYPE_CHECKING:
    from collections.abc import Mapping

RELEASES: Final = (
    *("0.5.0", "0.8.2", "0.10.0", "0.11.1", "0.12.0", "0.13.2", "0.14.0"),
    *("0.15.2", "0.17.1", "0.18.1", "0.19.1", "0.20.0", "0.21.2"),
)
TABLE: Final = ROOT / "tests" / "data" / "peft_releases.json"

BASE: Final[Mapping[str, Any]] = {
    "init_r": 4,
    "target_r": 2,
    "tinit": 2,
    "tfinal": 3,
    "deltaT": 2,
    "total_step": 12,
    "target_modules": ["q_proj", "v_proj"],
}
"""The configuration that every probe changes in one thing."""

SPOKEN: Final = frozenset({"orth_reg_weight", "alora_invocation_tokens"})
"""Fields that show only where a `task_type` is set."""

TOGETHER: Final[tuple[Mapping[str, Any], ...]] = (
    {"target_modules": []},
    {"target_modules": (), "exclude_modules": ["v_proj"]},
    {"target_modules": ["q_proj", "embed_tokens"], "modules_to_save": ["embed_tokens"]},
    {"target_modules": ["q_proj", "embed_tokens"], "exclude_modules": ["embed_tokens"]},
    {"modules_to_save": [["norm"]]},
    {"layers_to_transform": [], "layers_pattern": "layers"},
    {"init_r": 0, "target_r": 0},
    {"init_r": 0, "deltaT": 0},
    {"init_r": 1, "target_r": 0},
    {"target_r": 8, "tinit": 0, "tfinal": 0},
    {"target_r": "2", "deltaT": 0},
    {"tfinal": 2.5, "deltaT": 100},
    {"tfinal": 2.5, "deltaT": 100, "rank_pattern": {"q_proj": 4}},
    {"total_step": None, "inference_mode": True},
    {"beta1": 2, "inference_mode": True},
    {"use_dora": True, "lora_bias": True},
)
"""Values that show what they do in company."""

B, S, A, Z = Event.BACKWARD, Event.STEP, Event.ALLOCATE, Event.ZERO_GRAD
LOOPS: Final[Mapping[str, Loop]] = {
    "right": replace(RIGHT_LOOP, steps=12),
    "counted from 1": Loop(counter=Counter(start=1), steps=12),
    "never called": Loop(allocates=False, steps=12),
    "after zero_grad": Loop((B, S, Z, A), steps=12),
    "after zero_grad that fills": Loop((B, S, Event.ZERO_FILL, A), steps=12),
    "before backward": Loop((A, B, S, Z), steps=12),
    "before the step": Loop((B, A, S, Z), steps=12),
    "guarded by its result": Loop(guard=Guard(needs_rank_pattern=True), steps=12),
    "every third step": Loop(guard=Guard(every=3), steps=12),
    "every fifth step": Loop(guard=Guard(every=5), steps=12),
    "only after tinit": Loop(guard=Guard(first=3), steps=12),
    "only at the end": Loop(guard=Guard(first=9, last=9), steps=12),
    "only after the end": Loop(guard=Guard(first=10), steps=12),
    "until the end": Loop(guard=Guard(last=9), steps=12),
    "twice a step": Loop(calls=2, steps=12),
    "counting micro-batches": Loop(counter=Counter(start=1, stride=2), steps=12),
    "restarting each epoch": Loop(counter=Counter(period=4), steps=12),
    "half the run": Loop(steps=6),
    "a longer run": Loop(steps=18),
}
"""Training loops, right and wrong."""


def main() -> None:
    """Run the probes on the releases that are named, or on all, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("releases", nargs="*", default=RELEASES, help="releases of PEFT (default: all of the table)")
    parser.add_argument("--releases-dir", type=Path, help="where releases are unpacked and kept (default: not kept)")
    parser.add_argument("--output", type=Path, default=TABLE)
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.inside:
        print(json.dumps(observe_all(told.inside)))
        return
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        root = told.releases_dir or Path(scratch)
        found = {release: observe_apart(root, release) for release in told.releases}
    probes = {probe: {release: found[release][probe] for release in found} for probe in found[told.releases[-1]]}
    head = {"command": "python scripts/sweep_releases.py", "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"}
    lines = [f"{json.dumps(probe)}: {json.dumps(_grouped(shown))}" for probe, shown in probes.items()]
    told.output.parent.mkdir(exist_ok=True)
    told.output.write_text(
        f'{{"made": {json.dumps(head)},\n"releases": {json.dumps(list(found))},\n"probes": {{\n'
        + ",\n".join(lines)
        + "\n}}\n"
    )
    print(f"{len(probes)} probes on {len(found)} releases in {time.monotonic() - start:.0f} s: {told.output}")


def _grouped(shown: Mapping[str, Any]) -> list[list[Any]]:
    """Write what releases in a row show once: [first release, last release, outcome]."""
    groups: list[list[Any]] = []
    for release, outcome in shown.items():
        if groups and groups[-1][2] == outcome:
            groups[-1][1] = release
        else:
            groups.append([release, release, outcome])
    return groups


def observe_apart(root: Path, release: str) -> dict[str, Any]:
    """Run all probes on one release, in a process that finds that release first.

    Raises:
        SystemExit: the release could not be unpacked or did not run; the message is the process's own.
    """
    from releases_env import releases_folder

    folders = releases_folder(root, release)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONHASHSEED": "0"}
    command = [sys.executable, __file__, "--inside", release]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"PEFT {release}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# ── inside: one release ──────────────────────────────────────────────────────────────────────────────────────────────


def field_probes() -> dict[str, dict[str, Any]]:
    """Give each value of each field to be tried, alone or in company, by the name of its probe."""
    from config_oracle import UNUSUAL

    probes = {}
    for name, values in UNUSUAL.items():
        for value in values:
            spoken = {"task_type": "CAUSAL_LM"} if name in SPOKEN else {}
            probes[f"{name}={value!r}"] = {**BASE, **spoken, name: value}
    for together in TOGETHER:
        probes[", ".join(f"{name}={value!r}" for name, value in together.items())] = {**BASE, **together}
    return probes


def observe_all(release: str) -> dict[str, Any]:
    """Run every probe on the release that is imported.

    Raises:
        SystemExit: another release is imported.
    """
    import peft
    import torch

    if peft.__version__ != release:
        raise SystemExit(f"this is PEFT {peft.__version__}, not {release}")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    found: dict[str, Any] = {"defaults": _defaults()}
    found |= {probe: _of_values(values) for probe, values in field_probes().items()}
    found |= {f"loop: {name}": _of_loop(loop) for name, loop in LOOPS.items()}
    return found | {f"saved: {name}": shown for name, shown in _of_saved().items()}


def _defaults() -> dict[str, Any]:
    import dataclasses

    from peft import AdaLoraConfig

    told = {}
    for one in dataclasses.fields(AdaLoraConfig):
        if one.default is not dataclasses.MISSING:
            told[one.name] = one.default if isinstance(one.default, int | float | str | None) else repr(one.default)
    return dict(sorted(told.items()))


def _of_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Train with a configuration, and compare with the base: `same` when losses and tensors are bit-identical."""
    from config_oracle import Case, observe

    ended = observe(Case(values), keep=True)
    if ended.exception is not None:
        return {"stage": str(ended.stage), "exception": ended.exception}
    spoken = {"task_type": values["task_type"]} if "task_type" in values else {}
    usual = observe(Case({**BASE, **spoken}), keep=True)
    tensors = ended.tensors.keys() == usual.tensors.keys() and all(
        bool((tensor == usual.tensors[name]).all()) if tensor.shape == usual.tensors[name].shape else False
        for name, tensor in ended.tensors.items()
    )
    return {"same": tensors and ended.losses == usual.losses}


def _model(values: Mapping[str, Any]) -> Any:
    import torch
    from config_oracle import _build, _weights
    from peft import AdaLoraConfig, get_peft_model

    base = _build("llama")
    base.load_state_dict(_weights("llama"))
    torch.manual_seed(0)
    return get_peft_model(base, AdaLoraConfig(**{**values, "target_modules": list(values["target_modules"])}))


def _trained(model: Any, loop: Loop) -> dict[str, Any]:
    """Run a loop; tell the exception and its counter, or the ranks left in memory and in `rank_pattern`."""
    import torch

    from adalint.reference.events import happenings

    config = model.peft_config["default"]
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=1e-2)
    words = torch.randint(12, (2, 4), generator=torch.Generator().manual_seed(0))
    try:
        for _, event in happenings(loop, range(loop.steps or 0), lambda: config.rank_pattern):
            if event is Event.BACKWARD:
                model(input_ids=words, labels=words).loss.backward()
            elif event is Event.STEP:
                optimizer.step()
            elif event is Event.ZERO_GRAD:
                optimizer.zero_grad()
            elif event is Event.ZERO_FILL:
                optimizer.zero_grad(set_to_none=False)
            else:
                step = int(event)
                model.base_model.update_and_allocate(step)
    except Exception as raised:  # noqa: BLE001 - whatever PEFT raises is the answer
        return {"exception": type(raised).__name__, "step": step if isinstance(event, int) else None}
    live = sum(int((one != 0).sum()) for name, one in model.named_parameters() if "lora_E" in name)
    pattern = config.rank_pattern
    return {"live": live, "kept": None if pattern is None else sum(sum(one) for one in pattern.values())}


def _of_loop(loop: Loop) -> dict[str, Any]:
    return _trained(_model({**BASE, "task_type": "CAUSAL_LM"}), loop)


def _of_saved() -> dict[str, dict[str, Any]]:
    """Save trained adapters, change one thing in what was saved, and load it."""
    found = {}
    changes: dict[str, tuple[Mapping[str, Any], str, Mapping[str, Any]]] = {
        "as it is": (BASE, "right", {}),
        "never allocated": (BASE, "never called", {}),
        "total_step null": (BASE, "right", {"total_step": None}),
        "no budgeting phase": (BASE, "right", {"tinit": 9}),
        "unknown key": (BASE, "right", {"of_a_newer_release": 1}),
        "rank_pattern null": (BASE, "right", {"rank_pattern": None}),
        "target_r edited": (BASE, "right", {"target_r": 3}),
        "target_r negative": (BASE, "right", {"target_r": -1}),
        "init_r edited": (BASE, "right", {"init_r": 8}),
        "init_r 0": (BASE, "right", {"init_r": 0}),
        "init_r negative": (BASE, "right", {"init_r": -1}),
        "peft_type in lower case": (BASE, "right", {"peft_type": "adalora"}),
        "modules of rank 0": ({**BASE, "target_r": 0.5}, "right", {}),
        "all masked": (BASE, "after zero_grad that fills", {}),
    }
    for name, (values, loop, edits) in changes.items():
        model = _model({**values, "task_type": "CAUSAL_LM"})
        _trained(model, LOOPS[loop])
        found[name] = _loaded(model, edits)
    return found


def _loaded(model: Any, edits: Mapping[str, Any]) -> dict[str, Any]:
    from config_oracle import _build, _weights
    from peft import PeftModel

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "README.md").write_text("---\nlicense: mit\n---\n")
        try:
            model.save_pretrained(folder)
        except Exception as raised:  # noqa: BLE001 - whatever PEFT raises is the answer
            return {"stage": "save", "exception": type(raised).__name__}
        path = folder / "adapter_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **edits}))
        base = _build("llama")
        base.load_state_dict(_weights("llama"))
        try:
            PeftModel.from_pretrained(base, folder)
        except Exception as raised:  # noqa: BLE001 - whatever PEFT raises is the answer
            return {"stage": "load", "exception": type(raised).__name__}
    return {"loads": True}


if __name__ == "__main__":
    main()
