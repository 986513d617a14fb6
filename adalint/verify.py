"""What a rewrite does to training: both sides are run through the trace and compared.

What the text does not tell is assumed, and every assumption is named: that the allocator is called as PEFT documents
it, how many modules are adapted, and stand-ins for values that are only known when the program runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, product
from typing import TYPE_CHECKING, Any, Final

from adalint.engine import check_source
from adalint.findings import Effect, Safety, Severity
from adalint.plan import RIGHT_LOOP, SCHEDULE_FIELDS
from adalint.schema import FIELDS, Prediction, Stage, Use, fields_of, is_ignored, predict, use_of
from adalint.trace import Undetermined, trace
from adalint.values import UNKNOWN, Literal, operate, symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adalint.findings import Finding, Fix
    from adalint.plan import Plan
    from adalint.settings import Settings
    from adalint.source import Source
    from adalint.values import Expr

MODULES: Final = 4
MAX_TRIALS: Final = 64
_RANKS: Final = (4, 12, 64)
_STEPS: Final = (100, 3000, 50_000)


class Verdict(StrEnum):
    """What running both sides shows."""

    IDENTICAL = "identical"
    """The same training, to the last bit."""
    FINISHES = "finishes now"
    """It crashed at a step of the run, and finishes afterwards."""
    RUNS = "runs now"
    """It raised before the first step, and gets past that point afterwards."""
    DIFFERS = "differs"
    """Both run, and train something else."""
    STILL_FAILS = "still fails"
    """It raised before, and raises at the same stage or later afterwards."""
    BREAKS = "breaks"
    """It ran before, and raises afterwards."""
    CANNOT_SAY = "cannot say"


CLAIMS: Final[Mapping[Effect, frozenset[Verdict]]] = {
    Effect.PRESERVES: frozenset({Verdict.IDENTICAL}),
    Effect.COMPLETES: frozenset({Verdict.FINISHES}),
    Effect.REPAIRS: frozenset({Verdict.RUNS, Verdict.FINISHES}),
    Effect.CHANGES: frozenset({Verdict.DIFFERS, Verdict.FINISHES, Verdict.RUNS}),
}
"""The verdicts that bear out a fix's declared effect."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of one fix of one finding.

    `story` says it in words; `certainty` is `proven`, `holds for all tried` or `cannot say`; `assumptions` lists what
    had to be supposed.
    """

    finding: Finding
    fix: Fix
    verdict: Verdict
    story: str
    certainty: str
    assumptions: tuple[str, ...] = ()

    @property
    def contradicts(self) -> bool:
        """Whether running shows something else than the fix claims."""
        return self.verdict is not Verdict.CANNOT_SAY and self.verdict not in CLAIMS[self.fix.effect]

    @property
    def breaks_a_promise(self) -> bool:
        """Whether a fix that is applied without asking is not what it claims to be."""
        return self.contradicts and self.fix.safety is Safety.SAFE


def verify_source(source: Source, settings: Settings) -> list[Proof]:
    """Prove the best applicable fix of every finding in a source."""
    findings = check_source(source, settings).findings
    errors = [finding.fixes[0].before for finding in findings if finding.severity is Severity.ERROR and finding.fixes]
    proofs = []
    for finding in findings:
        fix = finding.fix_for(Safety.SAFE) or finding.fix_for(Safety.UNSAFE)
        if fix is not None:
            proofs.append(prove(finding, fix, alone=sum(plan is fix.before for plan in errors) < 2))
    return proofs


def prove(finding: Finding, fix: Fix, *, alone: bool = True) -> Proof:
    """Run both sides of a fix that can be applied; `alone` says that its Site has no other error.

    Raises:
        ValueError: the fix is only shown, so that there is no other side.
    """
    before, after = fix.before, fix.after
    if fix.edits and before is None:
        return Proof(finding, fix, Verdict.IDENTICAL, "identical: only a comment changes", "proven")
    if before is None or after is None:
        raise ValueError(f"{fix.title!r} changes nothing")
    release = before.release
    if before.values["peft_type"] != after.values["peft_type"]:
        return Proof(finding, fix, Verdict.RUNS, "raises KeyError when it is loaded, runs now", "proven")
    changed = changed_fields(before, after, release)
    if not changed and before.strangers == after.strangers:
        return Proof(finding, fix, Verdict.IDENTICAL, "identical: PEFT reads the same configuration", "proven")
    trials = list(islice(_trials(before, after), MAX_TRIALS))
    results = [_compare(before.assume(trial), after.assume(trial), changed, release) for trial in trials]
    verdicts = {verdict for verdict, _ in results}
    assumptions = tuple(_assumptions(before, after, trials))
    if Verdict.STILL_FAILS in verdicts and not alone:
        story = f"cannot say: {results[0][1]}, for another mistake in the same configuration"
        return Proof(finding, fix, Verdict.CANNOT_SAY, story, "cannot say", assumptions)
    if len(verdicts) > 1 or Verdict.CANNOT_SAY in verdicts:
        story = "cannot say: it depends on values that the text does not tell"
        return Proof(finding, fix, Verdict.CANNOT_SAY, story, "cannot say", assumptions)
    stories = {story for _, story in results}
    story = stories.pop() if len(stories) == 1 else f"{results[0][1]} (for {_named(trials[0])})"
    return Proof(finding, fix, results[0][0], story, "holds for all tried" if assumptions else "proven", assumptions)


def changed_fields(before: Plan, after: Plan, release: str) -> list[str]:
    """Name the fields that PEFT honours in this release and that are worth something else afterwards."""
    return [
        name
        for name in before.values
        if use_of(name, release) in (Use.HONOURED, Use.REFUSED, Use.OUTPUT)
        and _as_read(name, before, release) != _as_read(name, after, release)
    ]


def _as_read(name: str, plan: Plan, release: str) -> Expr:
    """Give what PEFT makes of a field: a value that it ignores is worth the default, an interval has no sign."""
    expr = plan.values[name]
    if name == "deltaT":
        return operate("abs", expr)
    return Literal(FIELDS[name].default) if is_ignored(name, expr, release, plan.values) is True else expr


def _trials(before: Plan, after: Plan) -> Iterator[dict[str, Any]]:
    """Give stand-ins for everything unknown: small, usual and large ranks and run lengths."""
    names = sorted((before.unknowns() | after.unknowns()) - {"modules", "loop"})
    for numbers in product(*(_stand_ins(name, before) for name in names)):
        yield {**dict(zip(names, numbers, strict=True)), "modules": MODULES, "loop": RIGHT_LOOP}


def _stand_ins(name: str, plan: Plan) -> tuple[int, ...]:
    ranks = {"init_r", "target_r"}
    of_ranks = name in ranks or any(name in symbols(plan.values[rank]) for rank in ranks)
    return _RANKS if of_ranks else _STEPS


def _assumptions(before: Plan, after: Plan, trials: list[dict[str, Any]]) -> Iterator[str]:
    unknown = before.unknowns() | after.unknowns()
    if "loop" in unknown:
        yield "update_and_allocate is called after every optimizer step, with 0, 1, 2 …"
    if "modules" in unknown:
        yield f"{MODULES} modules are adapted"
    for name in sorted(unknown - {"loop", "modules"}):
        tried = sorted({trial[name] for trial in trials})
        yield f"{name} is one of {', '.join(map(str, tried))}"
    for name, expr in before.values.items():
        if name not in SCHEDULE_FIELDS and not isinstance(expr, Literal):
            yield f"{name} is accepted by PEFT"


def _named(trial: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={number}" for name, number in trial.items() if name not in {"modules", "loop"})


def _compare(before: Plan, after: Plan, changed: list[str], release: str) -> tuple[Verdict, str]:
    first, second = _run(before, release), _run(after, release)
    if first is UNKNOWN or second is UNKNOWN:
        return Verdict.CANNOT_SAY, ""
    if not isinstance(first, Prediction):
        if isinstance(second, Prediction):
            return Verdict.BREAKS, f"breaks: it finishes today, and {_failure(second)} afterwards"
        words = ", ".join(changed)
        return Verdict.DIFFERS, f"differs: {words} {'is' if len(changed) == 1 else 'are'} not what PEFT reads today"
    now = f"then {_failure(second)}" if isinstance(second, Prediction) else "finishes now"
    if first.stage in (Stage.CONSTRUCTION, Stage.WRAP):
        if isinstance(second, Prediction) and second.stage in (Stage.CONSTRUCTION, Stage.WRAP):
            return Verdict.STILL_FAILS, f"{_failure(first)}, {now}"
        return Verdict.RUNS, f"{_failure(first)}, {'runs now' if second is None else now}"
    if isinstance(second, Prediction):
        return Verdict.STILL_FAILS, f"{_failure(first)}, {now}"
    prefix = "the steps before it are the same" if _same_until(first, after, changed) else "the steps before it differ"
    return Verdict.FINISHES, f"{_failure(first)}, {now}; {prefix}"


def _failure(prediction: Prediction) -> str:
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


def _run(plan: Plan, release: str) -> Any:
    """Run one side: None when it finishes, the first failure otherwise, UNKNOWN when it cannot be told."""
    values: dict[str, object] = dict.fromkeys(plan.strangers)
    for name, expr in plan.values.items():
        if name in SCHEDULE_FIELDS:
            values[name] = expr.value if isinstance(expr, Literal) else UNKNOWN
        elif name in fields_of(release) and isinstance(expr, Literal) and plan.given.get(name) is True:
            values[name] = expr.value
    return predict(values, release, loop=plan.loop, modules=plan.modules or MODULES)
