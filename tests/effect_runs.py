"""Running a text that configures AdaLoRA, on the reference adapter and in PEFT, and what is seen of it.

Python is executed, an `adapter_config.json` is loaded by PEFT, and of other files PEFT is given what is read of them.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peft
import torch
from config_oracle import WORDS
from effect_models import build
from peft import AdaLoraConfig, PeftConfig, PeftModel, get_peft_model
from safetensors.torch import load_file

from adalint.plan import Event, Loop
from adalint.reference import Task, run
from adalint.reference.events import happenings
from adalint.schema import Stage
from adalint.site import Surface
from adalint.source import Kind
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.plan import Plan
    from adalint.site import Site
    from adalint.source import Source
    from adalint.values import Expr

torch.set_num_threads(1)  # tensors of a few numbers only wait for each other

LENGTHS = ("total_step", "tinit", "tfinal")
BEFORE_TRAINING = (Stage.CONSTRUCTION, Stage.WRAP, Stage.FORWARD, Stage.LOAD)


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of one run, to the last bit.

    `stage` and `exception` are None when it ended and was saved; `losses` has one number for each backward pass;
    `tensors` are those in memory and `saved` those on disk, as bytes; `pattern` is the `rank_pattern` on disk.
    """

    stage: Stage | None = None
    exception: str | None = None
    losses: tuple[float, ...] = ()
    tensors: Mapping[str, bytes] = field(default_factory=dict)
    saved: Mapping[str, bytes] = field(default_factory=dict)
    pattern: str = "null"

    @property
    def finished(self) -> bool:
        """Tell whether it ended and was saved."""
        return self.exception is None

    @property
    def raised_before_training(self) -> bool:
        """Tell whether nothing was trained."""
        return not self.finished and self.stage in BEFORE_TRAINING and not self.losses

    @property
    def crashed_at(self) -> int | None:
        """Give the optimizer step (from 0) at which the allocator raised, None when it did not."""
        return len(self.losses) - 1 if self.stage in (Stage.FIRST_MASK, Stage.STEP) else None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a fix: a text, what is read of it, and what would be trained."""

    source: Source
    site: Site
    plan: Plan

    @property
    def surface(self) -> Surface:
        """The form in which it is written."""
        return self.site.surface


def literal(expr: Expr) -> Any:
    """Give a value that is known, else None."""
    return expr.value if isinstance(expr, Literal) else None


@cache
def executed(text: str) -> dict[str, Any]:
    """Execute a Python example, its functions too, and give the keywords with which it constructs AdaLoraConfig."""
    given: list[dict[str, Any]] = []

    class Recorder:
        def __init__(self, **values: Any) -> None:
            given.append(values)

    arguments = {"loader": range(100), "epochs": 30, "optimizer": torch.optim.SGD([torch.zeros(1)], lr=0.1)}
    library: Any = peft
    real, library.AdaLoraConfig = peft.AdaLoraConfig, Recorder
    try:
        namespace: dict[str, Any] = {}
        exec(compile(text, "example.py", "exec"), namespace)
        if not given:
            for made in [value for value in namespace.values() if hasattr(value, "__code__")]:
                if made.__globals__ is namespace:
                    made(**{name: arguments[name] for name in made.__code__.co_varnames[: made.__code__.co_argcount]})
    finally:
        library.AdaLoraConfig = real
    [values] = given
    return values


def reference_shows(plan: Plan, _: Side) -> Shown:
    """Run a plan on the reference adapter."""
    came = run(plan, Task())
    raised = came.raised or (came.unsaved if came.saved is None else None)
    stage = None
    if raised is not None:
        stage = raised.stage or (Stage.FIRST_MASK if came.first_mask is None else Stage.STEP)
    saved = came.saved
    return Shown(
        stage,
        raised.exception if raised else None,
        came.losses,
        {name: tensor.tobytes() for name, tensor in came.tensors.items()},
        {name: tensor.tobytes() for name, tensor in saved.tensors.items()} if saved else {},
        json.dumps(saved.rank_pattern) if saved else "null",
    )


def peft_shows(plan: Plan, side: Side) -> Shown:
    """Run one side of a fix in PEFT, with the schedule and the loop of its plan."""
    return _in_peft(side.source.path, side.source.text, _Run(plan, side))


@dataclass(frozen=True)
class _Run:
    plan: Plan
    side: Side

    @property
    def _identity(self) -> tuple[object, ...]:
        lengths = tuple(repr(self.plan.values[name]) for name in LENGTHS)
        return (*lengths, self.plan.loop)

    def __hash__(self) -> int:
        return hash(self._identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Run) and self._identity == other._identity


@cache
def _in_peft(file: str, text: str, asked: _Run) -> Shown:
    """Train a text once: `file` and `text` only name it."""
    del file, text
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder, redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        return _Training(Path(folder), values_for_peft(asked.plan, asked.side), asked.side).shows(asked.plan.loop)


def values_for_peft(plan: Plan, side: Side) -> dict[str, Any]:
    """Give what PEFT is handed: what Python gives when executed, or what stands in the file, with scaled lengths."""
    if side.source.kind is Kind.PYTHON:
        given = dict(executed(side.source.text))
    elif side.surface is Surface.ADAPTER_CONFIG:
        given = json.loads(side.source.text)
    else:
        # What the user's own code does with other names is not PEFT's affair.
        given = {name: literal(plan.values[name]) for name in plan.values if plan.given.get(name) is True}
        given.pop("peft_type", None)
    for name in LENGTHS:
        if name in given:
            given[name] = literal(plan.values[name])
    return given


class _Training:
    """One run in PEFT, from the constructor or the file to what is saved."""

    def __init__(self, folder: Path, values: dict[str, Any], side: Side) -> None:
        self.folder, self.values, self.side = folder, values, side
        self.stage: Stage = Stage.CONSTRUCTION
        self.losses: list[float] = []
        self.model: Any = None

    def shows(self, loop: Loop) -> Shown:
        """Run it, and tell what came of it."""
        torch.manual_seed(0)
        try:
            if self.side.site.saved:
                self._use_saved()
            else:
                self._train(loop)
        except Exception as error:  # noqa: BLE001 - whatever PEFT raises is the answer
            return Shown(self.stage, type(error).__name__, tuple(self.losses), self._in_memory())
        saved = load_file(self.folder / "adapter_model.safetensors")
        written = json.loads((self.folder / "adapter_config.json").read_text(encoding="utf-8"))
        return Shown(
            losses=tuple(self.losses),
            tensors=self._in_memory(),
            saved={name: _bytes(tensor) for name, tensor in saved.items()},
            pattern=json.dumps(written.get("rank_pattern")),
        )

    def _config(self) -> Any:
        if self.side.surface is not Surface.ADAPTER_CONFIG:
            return AdaLoraConfig(**self.values)
        (self.folder / "adapter_config.json").write_text(json.dumps(self.values), encoding="utf-8")
        return PeftConfig.from_pretrained(str(self.folder))

    def _train(self, loop: Loop) -> None:
        config = self._config()
        self.stage = Stage.WRAP
        base, targets = build(self.values)
        if config.target_modules is None:
            config.target_modules = targets
        self.model = get_peft_model(base, config)
        self.stage = Stage.FORWARD
        optimizer = torch.optim.AdamW([each for each in self.model.parameters() if each.requires_grad], lr=1e-2)
        words = torch.randint(WORDS, (2, 4), generator=torch.Generator().manual_seed(0))
        steps = int(config.total_step) if loop.steps is None else loop.steps
        for _, happening in happenings(loop, range(steps), lambda: config.rank_pattern):
            if isinstance(happening, Event):
                self._undergo(happening, optimizer, words)
                continue
            self.stage = Stage.STEP
            self.model.base_model.update_and_allocate(happening)
        self.stage = Stage.SAVE
        self._save()

    def _undergo(self, event: Event, optimizer: torch.optim.Optimizer, words: torch.Tensor) -> None:
        match event:
            case Event.BACKWARD:
                self.stage = Stage.FORWARD
                loss = self.model(input_ids=words, labels=words).loss
                self.losses.append(loss.item())
                loss.backward()
            case Event.STEP:
                optimizer.step()
            case Event.ZERO_GRAD:
                optimizer.zero_grad()
            case Event.ZERO_FILL:
                optimizer.zero_grad(set_to_none=False)

    def _use_saved(self) -> None:
        """Make the adapter that a trained one's configuration stands for, and load it as a user of it does."""
        base, targets = build(self.values)
        fields = {**self.values, "inference_mode": False, "target_modules": targets}
        del fields["peft_type"]
        self.model = get_peft_model(base, AdaLoraConfig(**fields))
        self._save()
        written = {**self.values, "target_modules": targets}
        (self.folder / "adapter_config.json").write_text(json.dumps(written), encoding="utf-8")
        self.model = None
        self.stage = Stage.LOAD
        self.model = PeftModel.from_pretrained(build(self.values)[0], str(self.folder))
        self.stage = Stage.FORWARD
        words = torch.arange(4)[None]
        self.losses.append(float(self.model(input_ids=words).logits.square().mean()))

    def _save(self) -> None:
        # PEFT adds to a card that is there; to make a new one costs more than the training.
        (self.folder / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
        self.model.save_pretrained(self.folder)

    def _in_memory(self) -> dict[str, bytes]:
        if self.model is None:
            return {}
        return {name: _bytes(each) for name, each in self.model.named_parameters() if "lora_" in name}


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().numpy().tobytes()
