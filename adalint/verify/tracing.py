"""Both sides of a fix without tensors: what the schema and the trace say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adalint.plan import SCHEDULE_FIELDS
from adalint.schema import Prediction, Stage, certain_failures, derived, fields_of, predict
from adalint.trace import Undetermined, budget, trace
from adalint.values import UNKNOWN, Literal, Unknown
from adalint.verify.proof import Outcome, Verdict
from adalint.verify.trials import MODULES

if TYPE_CHECKING:
    from adalint.plan import Plan
    from adalint.values import Number

SAMPLES: Final = 40
"""Steps at which the budget of a run is looked at."""

BEFORE_TRAINING: Final = (Stage.CONSTRUCTION, Stage.WRAP, Stage.FORWARD)


@dataclass(frozen=True, slots=True)
class Traced:
    """What one trial comes to, and how each side fails: None when it finishes, UNKNOWN when that cannot be told.

    `same_before` tells of a run that crashes whether the steps before are surely the same, `hidden` whether what raises
    afterwards is another mistake that was there before.
    """

    verdict: Verdict
    story: str
    first: Prediction | Unknown | None
    second: Prediction | Unknown | None
    same_before: bool = False
    hidden: bool = False


def compare(before: Plan, after: Plan, changed: list[str]) -> Traced:
    """Compare two concrete plans; only what PEFT reads differently makes them differ."""
    first, second = failure_of(before), failure_of(after)
    if not changed and (before.strangers, before.modules) == (after.strangers, after.modules):
        return Traced(
            Verdict.IDENTICAL, "identical: PEFT reads the same configuration", first, second, same_before=True
        )
    if isinstance(first, Unknown) or isinstance(second, Unknown):
        return Traced(Verdict.CANNOT_SAY, "", first, second)
    if first is None:
        if second is not None:
            story = f"breaks: it finishes today, and {in_words(second)} afterwards"
            return Traced(Verdict.BREAKS, story, first, second)
        words = ", ".join(changed)
        story = f"differs: {words} {'is' if len(changed) == 1 else 'are'} not what PEFT reads today"
        return Traced(Verdict.DIFFERS, story, first, second)
    now = f"then {in_words(second)}" if second is not None else "finishes now"
    if first.stage in BEFORE_TRAINING:
        if second is not None and second.stage in BEFORE_TRAINING:
            hidden = _is_another(first, second, before, after)
            return Traced(Verdict.STILL_FAILS, f"{in_words(first)}, {now}", first, second, hidden=hidden)
        story = f"{in_words(first)}, {'runs now' if second is None else now}"
        return Traced(Verdict.RUNS, story, first, second)
    if second is not None:
        return Traced(Verdict.STILL_FAILS, f"{in_words(first)}, {now}", first, second)
    same = _same_until(first, after, changed)
    prefix = "the steps before it are the same" if same else "the steps before it differ"
    return Traced(Verdict.FINISHES, f"{in_words(first)}, {now}; {prefix}", first, second, same)


def _is_another(first: Prediction, second: Prediction, before: Plan, after: Plan) -> bool:
    """Tell whether what raises afterwards was there before beside what the fix is about."""
    found = _certain(before)
    mended = found - _certain(after)
    return (second.field, second.message) in found and (first != second or bool(mended))


def _certain(plan: Plan) -> set[tuple[str | None, str]]:
    values = {name: expr.value if isinstance(expr, Literal) else UNKNOWN for name, expr in plan.values.items()}
    return {(name, failure.message) for name, failure in certain_failures(values, plan.release)}


def starts(failure: Prediction | Unknown | None) -> bool:
    """Tell whether a side gets as far as to train."""
    return failure is None or (isinstance(failure, Prediction) and failure.stage not in BEFORE_TRAINING)


def in_words(prediction: Prediction) -> str:
    """Say how a side fails."""
    if prediction.step is not None:
        return f"crashes at step {prediction.step} ({prediction.exception})"
    return f"raises {prediction.exception} at {prediction.stage}"


def _same_until(first: Prediction, after: Plan, changed: list[str]) -> bool:
    """Tell whether training is the same up to the crash: only the schedule differs, and nothing is pruned before."""
    if not set(changed) <= {"target_r", "tinit", "tfinal", "deltaT", "total_step"}:
        return False
    try:
        first_mask = trace(after).first_mask
    except Undetermined:
        return False
    return first.step is not None and (first_mask is None or first_mask >= first.step)


def failure_of(plan: Plan) -> Prediction | Unknown | None:
    """Tell how a concrete plan fails first; None when it finishes, UNKNOWN when it cannot be told."""
    release = plan.release
    values: dict[str, object] = dict.fromkeys(plan.strangers)
    for name, expr in plan.values.items():
        if name in SCHEDULE_FIELDS:
            values[name] = expr.value if isinstance(expr, Literal) else UNKNOWN
        elif name in fields_of(release) and isinstance(expr, Literal) and plan.given.get(name) is True:
            values[name] = expr.value
    return predict(values, release, loop=plan.loop, modules=plan.modules or MODULES)


def outcome_of(plan: Plan, failure: Any) -> Outcome:
    """Tell how one side ends as far as no tensors are needed."""
    words = in_words(failure) if isinstance(failure, Prediction) else None
    if isinstance(failure, Prediction) and failure.stage in BEFORE_TRAINING:
        return Outcome(words)
    try:
        told = trace(plan)
    except Undetermined:
        return Outcome(words)
    scale = derived(plan.values)["scale"]
    return Outcome(
        words,
        live=told.live,
        kept=told.kept,
        scale=float(scale.value) if isinstance(scale, Literal) else None,
        budget=_budget(plan, told.failing_step) if told.calls or told.exception else (),
    )


def _budget(plan: Plan, failing_step: int | None) -> tuple[tuple[int, Number], ...]:
    """Sample the budget over the run, up to the step at which it crashes."""
    total = plan.values["total_step"]
    if not isinstance(total, Literal):
        return ()
    last = max(0, int(total.value) - 1)
    steps = sorted({at * last // (SAMPLES - 1) for at in range(SAMPLES)})
    if failing_step is not None:
        steps = [step for step in steps if step < failing_step]
    return tuple((step, budget(plan, step)) for step in steps)
