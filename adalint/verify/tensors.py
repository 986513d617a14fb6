"""Both sides of a fix in tensors: sized, run, held against the trace, and compared bit for bit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adalint.peft_run import LEFT_OUT
from adalint.plan import Event
from adalint.reference import Source, Task, run
from adalint.reference.events import spread
from adalint.reference.shorten import FACTORS, divide, ends_alike, length
from adalint.schema import Prediction, Stage
from adalint.trace import Undetermined, trace
from adalint.values import Literal, Unknown
from adalint.verify.proof import Bench, Engine, Outcome
from adalint.verify.tracing import BEFORE_TRAINING, failure_of, in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adalint.plan import Plan
    from adalint.reference import Trajectory

STEPS: Final = 64
"""Optimizer steps of each side that are run unless the caller asks for more."""

TRIALS: Final = 2
"""Stand-ins for what is unknown that are run; the others are traced."""

MOST_NUMBERS: Final = 2**16
"""How many numbers the triplets, or the products that the penalty makes of them, may have."""

MOST_REMEMBERED: Final = 16

TASK: Final = Task()


def on_reference(steps: int | None = None, task: Task = TASK) -> Bench:
    """Give the reference adapter to run plans on."""
    steps = steps or STEPS
    return Bench(Engine.REFERENCE, _remembering(partial(run, task=task, longest=steps)), steps, TRIALS)


def on_peft(steps: int | None = None, task: Task = TASK) -> Bench:
    """Give the PEFT that is installed to run plans on.

    Raises `adalint.peft_run.Missing` when it cannot be imported.
    """
    from adalint import peft_run

    release = peft_run.installed()
    return Bench(Engine.PEFT, _remembering(partial(peft_run.run, task=task)), steps or STEPS, TRIALS, release)


def _remembering(run: Callable[[Plan], Trajectory]) -> Callable[[Plan], Trajectory]:
    """Run a plan once: the fixes of one configuration share a side."""
    known: dict[str, Trajectory] = {}

    def remembered(plan: Plan) -> Trajectory:
        key = repr(plan)
        if key not in known:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            known[key] = run(plan)
        return known[key]

    return remembered


class NotRun(Exception):
    """A trial is left to the trace; says why."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One trial in tensors: both trajectories, of plans divided by `factor`, and where they part.

    `apart` is the first optimizer step, from 0, at which they differ as far as both go, None when they do not;
    `identical` says that they are the same to the end. `distance` is the largest difference between two losses.
    """

    first: Trajectory
    second: Trajectory
    factor: int
    steps: int
    apart: int | None
    identical: bool
    distance: float
    disagreement: str | None = None

    def outcomes(self, before: Outcome, after: Outcome) -> tuple[Outcome, Outcome]:
        """Add to what was traced what only tensors show."""
        whole = self.factor == 1
        return _with_tensors(before, self.first, whole=whole), _with_tensors(after, self.second, whole=whole)


def run_both(before: Plan, after: Plan, bench: Bench) -> Compared:
    """Run two concrete plans and compare them.

    Raises NotRun when they cannot be run, or are too large or too long and no shorter ones end alike.
    """
    for plan in (before, after):
        if not _fits(plan):
            raise NotRun("the adapter is too large to be run")
    first, second, factor = _sized(before, after, bench)
    try:
        one, other = bench.run(first), bench.run(second)
    except Undetermined as error:
        raise NotRun(f"it depends on {error}, which no stand-in can show") from None
    if Source.TRACE in (one.source, other.source):
        raise NotRun("the adapter is too large to be run")
    disagreement = _disagreement(first, one, bench) or _disagreement(second, other, bench)
    apart, identical = _part(one, other, first, second)
    return Compared(
        one,
        other,
        factor,
        max(_steps_of(one, first), _steps_of(other, second)),
        apart,
        identical,
        _distance(one, other),
        disagreement,
    )


def _fits(plan: Plan) -> bool:
    rank = plan.values["init_r"]
    if not isinstance(rank, Literal) or not isinstance(rank.value, int):
        return True
    return rank.value * (plan.modules or 0) * max(rank.value, 2 * TASK.width + 1) <= MOST_NUMBERS


def _sized(before: Plan, after: Plan, bench: Bench) -> tuple[Plan, Plan, int]:
    """Divide both plans by the smallest factor that makes them short enough and leaves both verdicts as they are."""
    longest = max(_length(before), _length(after))
    if longest <= bench.steps:
        return before, after, 1
    ends = [_end(plan) for plan in (before, after)]
    least = -(-longest // bench.steps)
    rough: tuple[Plan, Plan, int] | None = None
    for factor in range(least, least + FACTORS):
        shorter = [divide(plan, factor) for plan in (before, after)]
        if max(map(_length, shorter)) > bench.steps:
            continue
        pairs = list(zip(ends, map(_end, shorter), strict=True))
        if all(_end_alike(*pair, ranks=True) for pair in pairs):
            return shorter[0], shorter[1], factor
        if rough is None and all(_end_alike(*pair, ranks=False) for pair in pairs):
            rough = shorter[0], shorter[1], factor
    if rough is None:
        raise NotRun("the run is too long, and no shorter one ends alike")
    return rough


def _length(plan: Plan) -> int:
    """Count the optimizer steps of a plan; one that raises before training has none."""
    failure = failure_of(plan)
    if isinstance(failure, Prediction) and failure.stage in BEFORE_TRAINING:
        return 0
    try:
        return length(plan)
    except Undetermined as error:
        raise NotRun(f"it depends on {error}, which no stand-in can show") from None


def _end(plan: Plan) -> Any:
    failure = failure_of(plan)
    if isinstance(failure, Prediction) and failure.stage in BEFORE_TRAINING:
        return failure
    try:
        return trace(plan)
    except Undetermined as error:
        raise NotRun(f"it depends on {error}, which no stand-in can show") from None


def _end_alike(whole: Any, short: Any, *, ranks: bool) -> bool:
    """Tell whether a shorter run has the same verdict, and with `ranks` leaves as many, too."""
    if isinstance(whole, Prediction) or isinstance(short, Prediction):
        return bool(whole == short)
    if not ranks:
        short = replace(short, live=whole.live, kept=whole.kept if short.kept is not None else None)
    return ends_alike(whole, short)


def _disagreement(plan: Plan, ran: Trajectory, bench: Bench) -> str | None:
    """Say where a run ends otherwise than it was traced; None when it does not.

    The trace takes scores to be distinct and gradients to be finite. Before the first optimizer step of a fresh adapter
    all scores are zero, so where only ranks differ, a warm one is asked.
    """
    told = failure_of(plan)
    if isinstance(told, Unknown):
        return None
    raised = ran.raised
    if bench.engine is Engine.PEFT and told is not None and told.field in LEFT_OUT and raised is None:
        raise NotRun(f"{told.field} is about the model, which a stack of layers is not")
    if told is None or told.stage is Stage.SAVE:
        if raised is not None:
            return f"{raised.exception} at step {raised.step}, where the trace sees a run that finishes"
        if told is not None and ran.unsaved is None:
            return f"an adapter that is saved, where the schema sees {in_words(told)}"
    elif raised is None:
        return f"a run that finishes, where the trace sees {in_words(told)}"
    elif (raised.exception, raised.step) != (told.exception, told.step):
        return f"{raised.exception} at step {raised.step}, where the trace sees {in_words(told)}"
    if raised is not None and raised.stage is not None:
        return None
    whole, seen = replace(trace(plan), message=None), replace(ran.verdict(), message=None)
    if whole == seen or not np.all(np.isfinite(ran.losses)):
        return None
    if replace(seen, live=whole.live, kept=whole.kept) == whole:
        if bench.engine is not Engine.REFERENCE:
            return None
        seen = replace(run(plan, replace(TASK, warm=True), longest=bench.steps).verdict(), message=None)
        if whole == seen:
            return None
    return f"ranks {seen.live} in memory and {seen.kept} saved, where the trace sees {whole.live} and {whole.kept}"


def _part(one: Trajectory, other: Trajectory, first: Plan, second: Plan) -> tuple[int | None, bool]:
    """Find the first optimizer step at which two runs differ as far as both go, and whether they are the same."""
    found = list(_differences(one, other, first))
    alike = one.raised == other.raised
    if alike and len(one.losses) != len(other.losses):
        found.append(min(_steps_of(one, first), _steps_of(other, second)))
    if alike and not found and not (_same_tensors(one.tensors, other.tensors) and _same_saved(one, other)):
        found.append(_steps_of(one, first))
    return min(found, default=None), alike and not found and (one.live, one.kept) == (other.live, other.kept)


def _differences(one: Trajectory, other: Trajectory, plan: Plan) -> Iterator[int]:
    """Give the optimizer steps of the first loss, and of the first call, that differ."""
    passes = max(1, spread(plan.loop).count(Event.BACKWARD))
    together = min(len(one.losses), len(other.losses))
    ours, theirs = (np.asarray(side.losses[:together]).view(np.uint64) for side in (one, other))
    apart = np.flatnonzero(ours != theirs)
    if apart.size:
        yield int(apart[0]) // passes
    for left, right in zip_longest(one.allocations, other.allocations):
        if left is None or right is None:
            # One side has raised, or calls less often; the latter is a difference.
            if one.raised == other.raised:
                yield (left or right).optimizer_step
            return
        if (left.step, left.mask, left.live) != (right.step, right.mask, right.live):
            yield min(left.optimizer_step, right.optimizer_step)
            return


def _steps_of(ran: Trajectory, plan: Plan) -> int:
    return len(ran.losses) // max(1, spread(plan.loop).count(Event.BACKWARD))


def _same_saved(one: Trajectory, other: Trajectory) -> bool:
    first, second = one.saved, other.saved
    if first is None or second is None:
        return first is second
    return first.rank_pattern == second.rank_pattern and _same_tensors(first.tensors, second.tensors)


def _same_tensors(first: Any, second: Any) -> bool:
    return first.keys() == second.keys() and all(
        first[name].shape == second[name].shape and first[name].tobytes() == second[name].tobytes() for name in first
    )


def _distance(one: Trajectory, other: Trajectory) -> float:
    together = min(len(one.losses), len(other.losses))
    if not together:
        return 0.0
    with np.errstate(all="ignore"):
        return float(np.abs(np.asarray(one.losses[:together]) - np.asarray(other.losses[:together])).max())


def _with_tensors(traced: Outcome, ran: Trajectory, *, whole: bool) -> Outcome:
    """Add what a run shows; of a shorter one no more than fits the trace of the whole."""
    if ran.raised is not None and ran.raised.stage is not None:
        return traced
    live, kept = sum(ran.live), None if ran.kept is None else sum(ran.kept)
    fits = whole or (live, kept) == (traced.live, traced.kept)
    saved = ran.saved if fits else None
    return replace(
        traced,
        live=live if whole else traced.live,
        kept=kept if whole else traced.kept,
        ranks=ran.live if fits else (),
        saved_ranks=(ran.kept or ()) if fits else (),
        parameters=ran.parameters,
        saved_parameters=None if saved is None else sum(tensor.size for tensor in saved.tensors.values()),
        scale=ran.scale if math.isfinite(ran.scale) else None,
    )
