"""Scripts to start from: a right configuration, loop or Trainer for a run of a given length.

Each style is a template beside this module, a `string.Template` that reads as the script that it makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from math import ceil
from string import Template
from typing import Final

STYLES: Final = {
    "manual": "train.py",
    "accelerate": "train.py",
    "trainer": "train.py",
    "lightning": "train.py",
    "config": "adalora_config.py",
    "yaml": "adalora.yaml",
    "json": "adalora.json",
}
"""The styles, each with the name of the file that it is meant for."""

TASKS: Final = {
    "CAUSAL_LM": "AutoModelForCausalLM",
    "SEQ_2_SEQ_LM": "AutoModelForSeq2SeqLM",
}
"""The tasks that a script can be made for, each with the class of its model."""

SHORTEST: Final = 8
"""Steps below which warm-up, pruning and final phase do not all fit."""


class StarterError(ValueError):
    """What was asked for makes no schedule; the message says why and what would."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Ranks and phases of a run, in optimizer steps.

    As in PEFT's documentation of AdaLoRA: a warm-up of a fifteenth of the run, a final phase of a sixth, masks at
    about two hundred steps in between, and an initial rank of one and a half times the final one (12 and 8).
    """

    steps: int
    init_r: int
    target_r: int
    tinit: int
    tfinal: int
    delta_t: int


def schedule_for(steps: int, target_r: int, init_r: int | None = None) -> Schedule:
    """Choose a schedule.

    Raises:
        StarterError: the run is too short for all phases, or the ranks leave nothing to prune.
    """
    if steps < SHORTEST:
        raise StarterError(f"--steps {steps}: a schedule takes at least {SHORTEST} optimizer steps")
    if target_r < 1:
        raise StarterError(f"--target-r {target_r}: a rank is at least 1")
    start = ceil(1.5 * target_r) if init_r is None else init_r
    if start <= target_r:
        raise StarterError(f"--init-r {start}: it must be above --target-r {target_r}, or nothing is pruned")
    tinit, tfinal = steps // 15, max(1, steps // 6)
    return Schedule(steps, start, target_r, tinit, tfinal, max(1, (steps - tinit - tfinal) // 200))


def starter(style: str, schedule: Schedule, *, task: str = "CAUSAL_LM", model: str = "gpt2") -> str:
    """Write the script or configuration of a style, whose model is a name on the hub or a folder.

    Raises:
        KeyError: there is no such style or task.
    """
    from adalint.fixes.callback import callback_text

    callback = callback_text()
    text = files("adalint.starters").joinpath(f"{style}{_suffix(style)}").read_text(encoding="utf-8")
    return Template(text).substitute(
        steps=schedule.steps,
        init_r=schedule.init_r,
        target_r=schedule.target_r,
        tinit=schedule.tinit,
        tfinal=schedule.tfinal,
        delta_t=schedule.delta_t,
        task=task,
        model_class=TASKS[task],
        model=model,
        callback=callback.source.rstrip(),
        callback_imports="\n".join(one for one in callback.imports if not one.startswith(_FROM)),
        trainer_names="\n".join(f"    {name}," for name in sorted({TASKS[task], *_USED, *_named(callback.imports)})),
        tokenized=", ".join(sorted((TASKS[task], "AutoTokenizer"))),
    )


_FROM: Final = "from transformers import "
_USED: Final = ("AutoTokenizer", "Trainer", "TrainingArguments")


def _named(imports: tuple[str, ...]) -> list[str]:
    """List what the callback imports from transformers."""
    lines = (one.removeprefix(_FROM) for one in imports if one.startswith(_FROM))
    return [name.strip() for line in lines for name in line.split(",")]


def _suffix(style: str) -> str:
    return {"yaml": ".yaml.in", "json": ".json.in"}.get(style, ".py.in")
