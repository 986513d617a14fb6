"""Scripts that train, each run for real beside what its header says of it.

A script of ``tests/loops`` begins with comment lines:

* ``# style: flat``: how it is written, one of ``STYLES``.
* ``# runs: CLAUSE; CLAUSE``: what happens when it is run, from the facts about PEFT, in the words of ``CLAUSES``.
* ``# fixed: CLAUSE; CLAUSE``: the same of the text that ``adalint fix --unsafe-fixes`` makes of it, where a fix applies.

A finding is marked on its line, ``# expect: ADA402``; marks are taken away before adalint reads the text.
Several models in one script are told apart by slashes, in the order of their making: ``live 8/8 kept 8/8``.
"""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import re
import sys
import traceback
import types
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import adalint

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "loops"
STYLES = {
    "flat",
    "main",
    "function",
    "class",
    "epochs",
    "while",
    "range",
    "progress",
    "accelerate",
    "scaler",
    "helpers",
    "guards",
    "accumulation",
    "optimizers",
    "trainer",
    "subclass",
    "lightning",
    "wrapped",
    "evaluation",
    "adapters",
}
STAGES = ("construction", "wrap", "load", "save", "script")
COUNTS = r"(?:none|\d+)(?:/(?:none|\d+))*"
CLAUSES = (
    r"raises \w+ at step -?\d+",  # inside update_and_allocate, which had been given that number
    rf"raises \w+ in (?:{'|'.join(STAGES)})",  # anywhere else; `script` is whatever PEFT has no part in
    rf"live {COUNTS} kept {COUNTS}",  # singular values that are not zero in memory; those that rank_pattern keeps
    r"steps(?: \d+(?:\.\.\d+)?)+",  # update_and_allocate was given these numbers; `0..3` is each from 0 to 3
    r"never allocates",  # update_and_allocate was never reached
    r"memory same as saved",  # every module's update is the same after saving and loading
    r"memory differs from saved",
    r"penalty (?:added|dropped)",  # AdaLoraModel.forward put the orthogonal penalty on some loss, or on none
)
RULES_OF_LOOPS = {f"ADA{code}" for code in (109, 209, 210, 211, 314, *range(401, 422), *range(423, 430))}
"""What the marks speak of: all that is said of training, but for ADA422, which needs a release that is not here."""

HEADER = re.compile(r"# (style|runs|fixed): (.+)")
MARK = re.compile(r"[ \t]*# expect: (ADA\d{3}(?: ADA\d{3})*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """One file of the corpus: its text without marks, and what is said of it."""

    name: str
    text: str
    style: str
    runs: tuple[str, ...]
    fixed: tuple[str, ...]
    expected: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Ran:
    """What was seen while a script ran."""

    steps: list[int] = field(default_factory=list)
    tuners: list[Any] = field(default_factory=list)
    adapters: list[Any] = field(default_factory=list)
    penalties: int = 0
    error: BaseException | None = None
    output: str = ""


@cache
def scripts() -> tuple[Script, ...]:
    """Read the corpus, sorted by name."""
    return tuple(_script(path) for path in sorted(FOLDER.glob("*.py")))


def _script(path: Path) -> Script:
    text = path.read_text(encoding="utf-8")
    headers = dict(match.groups() for line in text.splitlines()[:3] if (match := HEADER.fullmatch(line)))
    expected = [
        (code, row)
        for row, line in enumerate(text.splitlines(), 1)
        if (match := MARK.search(line))
        for code in match[1].split()
    ]
    return Script(
        path.stem,
        MARK.sub("", text),
        headers["style"],
        tuple(headers["runs"].split("; ")),
        tuple(filter(None, headers.get("fixed", "").split("; "))),
        tuple(sorted(expected)),
    )


def repaired(script: Script) -> str:
    """Give the text after ``adalint fix --unsafe-fixes``."""
    return adalint.fix_text(script.text, filename=f"{script.name}.py", unsafe_fixes=True).after.text


def run(text: str) -> Ran:
    """Run a script in this process, as `__main__`, in the current folder, with PEFT's allocator looked at, not changed."""
    import torch

    ran = Ran()
    program = types.ModuleType("__main__")
    program.__dict__["__file__"] = "script.py"
    torch.manual_seed(0)
    # Without threads a tiny model is quicker, and its figures do not depend on the machine.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    output = io.StringIO()
    main = sys.modules["__main__"]
    try:
        with _watched(ran), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), _quiet():
            sys.modules["__main__"] = program
            try:
                exec(compile(text, "script.py", "exec"), program.__dict__)
            except Exception as error:  # noqa: BLE001 a script may end as it likes
                ran.error = error
    finally:
        sys.modules["__main__"] = main
        torch.set_num_threads(threads)
    ran.output = output.getvalue()
    return ran


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let a script warn and log as it likes, and leave no state of accelerate behind."""
    from accelerate.state import AcceleratorState, GradientState

    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        AcceleratorState._reset_state(reset_partial_state=True)
        GradientState._reset_state()


@contextlib.contextmanager
def _watched(ran: Ran) -> Iterator[None]:
    import torch
    from peft import PeftModel
    from peft.tuners.adalora import AdaLoraModel

    watched = (
        (AdaLoraModel, "__init__"),
        (PeftModel, "__init__"),
        (AdaLoraModel, "forward"),
        (AdaLoraModel, "update_and_allocate"),
    )
    before = [owner.__dict__[name] for owner, name in watched]

    def made(self: Any, *given: Any, **named: Any) -> None:
        before[0](self, *given, **named)
        ran.tuners.append(self)

    def wrapped(self: Any, *given: Any, **named: Any) -> None:
        before[1](self, *given, **named)
        ran.adapters.append(self)

    def forward(self: Any, *given: Any, **named: Any) -> Any:
        outputs = before[2](self, *given, **named)
        weight = self.peft_config[self.trainable_adapter_name].orth_reg_weight if self.training else 0
        ran.penalties += weight > 0 and isinstance(getattr(outputs, "loss", None), torch.Tensor)
        return outputs

    def update_and_allocate(self: Any, global_step: Any) -> None:
        ran.steps.append(int(global_step))
        before[3](self, global_step)

    for (owner, name), function in zip(watched, (made, wrapped, forward, update_and_allocate), strict=True):
        setattr(owner, name, function)
    try:
        yield
    finally:
        for (owner, name), function in zip(watched, before, strict=True):
            setattr(owner, name, function)


def said(ran: Ran, clauses: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Say what was seen in the words of the header: of each clause what took its place, and an error always.

    Raises:
        ValueError: a clause is none.
    """
    told = [] if ran.error is None or any(clause.startswith("raises ") for clause in clauses) else [_ending(ran)]
    for clause in clauses:
        if not any(re.fullmatch(form, clause) for form in CLAUSES):
            raise ValueError(f"no clause: {clause!r}")
        match clause.split()[0]:
            case "raises":
                told.append(_ending(ran))
            case "live":
                told.append(f"live {_joined(_live, ran)} kept {_joined(_kept, ran)}")
            case "steps":
                told.append(_steps(ran.steps))
            case "never":
                told.append("never allocates" if not ran.steps else _steps(ran.steps))
            case "penalty":
                told.append(f"penalty {'added' if ran.penalties else 'dropped'}")
            case "memory":
                told.append(f"memory {'same as' if _survives(ran.adapters[-1], folder) else 'differs from'} saved")
    return tuple(told)


def _ending(ran: Ran) -> str:
    if ran.error is None:
        return "raises nothing"
    kind = type(ran.error).__name__
    stage = "script"
    for frame, _ in traceback.walk_tb(ran.error.__traceback__):
        code = frame.f_code
        if code.co_filename == __file__ and code.co_name == "update_and_allocate":
            return f"raises {kind} at step {ran.steps[-1]}"
        stage = _stage(code.co_name, code.co_filename) or stage
    return f"raises {kind} in {stage}"


def _stage(function: str, filename: str) -> str:
    if "/peft/" not in filename.replace("\\", "/"):
        return {"_load_from_checkpoint": "load", "_load_best_model": "load"}.get(function, "")
    named = {"__post_init__": "construction", "get_peft_model": "wrap", "add_adapter": "wrap", "inject_adapter": "wrap"}
    named |= {"save_pretrained": "save", "from_pretrained": "load", "load_adapter": "load"}
    return named.get(function, "")


def _joined(count: Any, ran: Ran) -> str:
    return "/".join(map(count, ran.tuners)) or "none"


def _live(tuner: Any) -> str:
    adapter = getattr(tuner, "trainable_adapter_name", next(iter(tuner.peft_config)))
    named = ((name, value) for name, value in tuner.model.named_parameters() if name.endswith(f".lora_E.{adapter}"))
    return str(sum(int(value.count_nonzero()) for _, value in named))


def _kept(tuner: Any) -> str:
    adapter = getattr(tuner, "trainable_adapter_name", next(iter(tuner.peft_config)))
    pattern = tuner.peft_config[adapter].rank_pattern
    return "none" if not pattern else str(sum(map(sum, pattern.values())))


def _steps(steps: list[int]) -> str:
    runs: list[list[int]] = []
    for step in steps:
        if runs and step == runs[-1][-1] + 1:
            runs[-1].append(step)
        else:
            runs.append([step])
    return "steps " + " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs)


def _survives(adapter: Any, folder: Path) -> bool:
    """Tell whether an adapter, saved and loaded onto its own base model, adds the same to every module."""
    import torch
    from peft import PeftModel

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        copy.deepcopy(adapter).save_pretrained(str(folder))
        name = adapter.active_adapter
        place = folder if name == "default" else folder / name
        loaded = PeftModel.from_pretrained(copy.deepcopy(adapter).unload(), str(place), adapter_name=name)
    here, there = _updates(adapter), _updates(loaded)
    assert here
    assert here.keys() == there.keys()
    return all(torch.allclose(here[name], there[name], rtol=0, atol=1e-7) for name in here)


def _updates(adapter: Any) -> dict[str, Any]:
    from peft.tuners.adalora.layer import AdaLoraLayer

    layers = ((name, module) for name, module in adapter.named_modules() if isinstance(module, AdaLoraLayer))
    return {name: layer.get_delta_weight(layer.active_adapters[0]).detach() for name, layer in layers}
