"""The earliest stage at which PEFT raises on a known configuration."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from adalint.plan import RIGHT_LOOP, Loop, Plan
from adalint.releases import NEWEST
from adalint.schema.facts import Failure, Stage, Undecided
from adalint.trace import Trace, Undetermined, trace
from adalint.values import UNKNOWN, Literal, Unknown

UNDECIDABLE: Final[Mapping[str, str]] = {
    "target_modules": "whether a name, an expression or the table of architectures matches depends on the model; "
    "what is written is taken to match; before 0.19 a number may name a layer; before 0.15 `all-linear` raises unless "
    "the model is one of transformers",
    "exclude_modules": "whether anything is left to adapt depends on the model",
    "layers_to_transform": "which layers exist, and whether their path counts them, depends on the model",
    "layers_pattern": "which list of layers exists depends on the model",
    "layer_replication": "only some architectures have layers that PEFT can replicate",
    "modules_to_save": "which modules match depends on the model; of a string, every letter is taken for a name; "
    "before "
    "0.14 a number may name a layer",
    "trainable_token_indices": "whether there is an embedding, and how many rows it has, depends on the model",
    "target_parameters": "whether a parameter matches depends on the model (nothing is raised when none does), and "
    "ValueError takes the place of TypeError when its module is also in target_modules",
    "task_type": "which methods the wrapping class misses depends on the class of the model",
    "init_r": "before 0.6 a module of rank 0 is left out of the forward pass, and whether anything else has a gradient "
    "depends on the model, and on the orthogonal penalty",
    "init_lora_weights": 'ImportError takes the place of ValueError for "loftq" when SciPy is not installed',
    "*_config": "the inside of a sub-configuration is checked by its own class",
    "inference_mode": "whether a bias or a saved module is left to train depends on the model",
    "rank_pattern": "whether keys of a boolean pattern exist depends on the model",
    "schedule": "steps beyond 2**53 are not counted, nor a deltaT that is not finite together with a negative tinit",
}
"""What a configuration alone does not decide, and why."""

_TRACED = (Stage.FIRST_MASK, Stage.STEP, Stage.SAVE)
_FAR = 2**52


@dataclass(frozen=True, slots=True)
class Prediction:
    """The first exception that PEFT raises: its stage and class, why, and where in a run.

    `field` is the one to blame, None when the schedule as a whole is. `step` is the value of the counter.
    """

    stage: Stage
    exception: str
    message: str
    field: str | None = None
    step: int | None = None


class _Asked(Mapping[str, Any]):
    """Effective values that refuse to answer where nothing is known."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values_by_name = values

    def __getitem__(self, name: str) -> Any:
        value = self.values_by_name[name]
        if isinstance(value, Unknown):
            raise Undecided
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)


def predict(
    values: Mapping[str, object], release: str = NEWEST, loop: Loop = RIGHT_LOOP, modules: int = 1
) -> Prediction | Unknown | None:
    """Say at which stage PEFT raises first: at construction, wrap, forward, first mask, a later step or saving.

    `values` are the written ones, plain Python values or UNKNOWN; defaults are filled in. None when a run with `loop`
    finishes and is saved; UNKNOWN when a check that comes before any certain failure cannot be decided. `UNDECIDABLE`
    lists what is never decided. `modules` is the number of adapted modules, which hardly ever matters.
    """
    from adalint.schema import FIELDS, failures, fields_of

    fields = fields_of(release)
    for name in values:
        if name not in fields:
            text = f"AdaLoraConfig has no field {name}"
            return Prediction(Stage.CONSTRUCTION, "TypeError", text, field=name)
    asked = _Asked({name: values.get(name, field.default) for name, field in FIELDS.items()})
    try:
        for name, failure in failures(release):
            if failure.stage not in _TRACED and failure.when(asked):
                return Prediction(failure.stage, failure.exception, failure.message, field=name)
        run = _predict_run(asked, loop, modules)
        if run.failure:
            return run.failure
        for name, failure in failures(release):
            replaced = run.allocates and name == "rank_pattern"
            if failure.stage is Stage.SAVE and not replaced and failure.when(asked):
                return Prediction(failure.stage, failure.exception, failure.message, field=name)
        return None
    except (Undecided, Undetermined, TypeError):
        # TypeError: a value of a kind that no check expects.
        return UNKNOWN


def certain_failures(values: Mapping[str, object], release: str = NEWEST) -> Iterator[tuple[str, Failure]]:
    """Give the first failure of each field that holds whatever the unknown ones are, in the order of `failures`.

    `values` are effective: plain Python values, or UNKNOWN. The failure of one field may hide that of another.
    """
    from adalint.schema import failures

    asked = _Asked(values)
    failed: set[str] = set()
    for name, failure in failures(release):
        try:
            if name not in failed and failure.when(asked):
                failed.add(name)
                yield name, failure
        except (Undecided, TypeError, AttributeError, ValueError, ArithmeticError):
            # A value of a kind that this failure is not about.
            continue


@dataclass(frozen=True, slots=True)
class _Run:
    """How training ends, and whether a mask of its own takes the place of the user's `rank_pattern`."""

    failure: Prediction | None = None
    allocates: bool = False


def _predict_run(asked: Mapping[str, Any], loop: Loop, modules: int) -> _Run:
    """Trace the schedule, with stand-ins for values that no schedule can be made of but that PEFT accepts so far."""
    if loop.allocates is False:
        return _Run()
    target, delta, tinit = asked["target_r"], asked["deltaT"], asked["tinit"]
    total, final = asked["total_step"], asked["tfinal"]
    for field, value in (("total_step", total), ("tfinal", final)):
        # Only before 0.15, which checks nothing at construction.
        if not isinstance(value, int | float):
            text = f"{field} is not a number"
            return _Run(Prediction(Stage.STEP, "TypeError", text, field=field, step=loop.counter.start))
    end = total - final
    if math.isnan(end):
        # Every comparison with NaN is false, and `update_and_allocate` returns at once.
        return _Run()
    if end == -math.inf:
        exception, text = _masking_with(asked["rank_pattern"])
        return _Run(Prediction(Stage.STEP, exception, text, field="tfinal", step=loop.counter.start))
    plan = Plan({}, loop=loop, modules=modules)
    # Only before 0.15, which does not look whether tinit is a number, or lies before the end.
    timeless = not isinstance(tinit, int | float)
    if tinit == math.inf:
        tinit = 2 * _FAR
    asked_from = -1 if timeless or not math.isfinite(tinit) else tinit
    where_asked = {"init_r": 2, "target_r": 1, "deltaT": 0, "tinit": asked_from}
    ends = {"total_step": total, "tfinal": final}
    if not math.isfinite(end):
        ends = {"total_step": _FAR, "tfinal": 0}
    # The budget is computed before deltaT is looked at, at the same steps; a deltaT of 0 finds them.
    for wrong, exception, field, text in (
        (timeless, "TypeError", "tinit", "tinit is not a number"),
        (not isinstance(target, int | float), "TypeError", "target_r", "target_r is not a number"),
        (not _is_finite(target), "ValueError", "target_r", "target_r is not finite"),
        (not _is_finite(tinit), "ValueError", "tinit", "tinit is not finite"),
    ):
        if wrong:
            result = _trace(plan, {**where_asked, **ends})
            if result.exception != "ZeroDivisionError":
                return _from_trace(asked, result)
            return _Run(Prediction(Stage.FIRST_MASK, exception, text, field=field, step=result.failing_step))
    if isinstance(delta, list | dict | tuple | set):
        delta = "not a number"
    elif isinstance(delta, float) and not math.isfinite(delta):
        if tinit < 0:
            raise Undecided
        # No step from 1 on is a multiple.
        delta = _FAR
    ranks = {"init_r": asked["init_r"], "target_r": target}
    if not math.isfinite(end) and ranks["init_r"] > 0:
        # The budget never falls, so the first mask has nothing to cut.
        ranks = {"init_r": 1, "target_r": 1}
    result = _trace(plan, {**ranks, **ends, "deltaT": delta, "tinit": tinit})
    return _from_trace(asked, result)


def _trace(plan: Plan, values: Mapping[str, Any]) -> Trace:
    numbers = {name: int(value) if isinstance(value, bool) else value for name, value in values.items()}
    return trace(replace(plan, values={name: Literal(value) for name, value in numbers.items()}))


def _from_trace(asked: Mapping[str, Any], result: Trace) -> _Run:
    if result.exception is None:
        return _Run(allocates=result.kept is not None)
    exception, message = result.exception, result.message or ""
    stage = Stage.FIRST_MASK
    no_gradient = exception == "TypeError" and "Parameter" in message
    if result.first_mask is not None or exception == "AttributeError" or no_gradient:
        stage = Stage.STEP
    if exception == "AttributeError":
        exception, message = _masking_with(asked["rank_pattern"])
    return _Run(Prediction(stage, exception, message, step=result.failing_step))


def _masking_with(pattern: object) -> tuple[str, str]:
    """Say how masking fails with the pattern of the configuration: nothing was allocated in its place."""
    if not isinstance(pattern, dict):
        return "AttributeError", "no mask was made before total_step - tfinal, so there is no rank_pattern to mask with"
    if not pattern:
        return "StopIteration", "rank_pattern is empty"
    if any(isinstance(kept, list) for kept in pattern.values()):
        raise Undecided
    return "KeyError", "rank_pattern does not name the adapted modules"


def _is_finite(value: object) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
