"""From the fix of a finding to what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from adalint.engine import check_source
from adalint.findings import Effect, Safety, Severity
from adalint.schema import Stage, certain_failures
from adalint.values import UNKNOWN, Literal
from adalint.verify.proof import Bench, Engine, Evidence, Proof, Verdict
from adalint.verify.tracing import compare, outcome_of, starts
from adalint.verify.trials import assumptions_of, beyond_a_stand_in, changed_fields, evenly, named, trials_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adalint.findings import Finding, Fix
    from adalint.plan import Plan
    from adalint.settings import Settings
    from adalint.source import Source
    from adalint.verify.tensors import Compared
    from adalint.verify.tracing import Traced

MAX_TRIALS: Final = 64
RENAMED: Final = frozenset({"ADA603", "ADA605"})
"""The rules whose fixes are for the framework's parser; what PEFT gets is the same before and after."""


def verify_source(source: Source, settings: Settings, bench: Bench | None = None) -> list[Proof]:
    """Prove the best applicable fix of every finding in a source; without a bench by the trace alone."""
    findings = check_source(source, settings).findings
    proofs = []
    for finding in findings:
        fix = finding.fix_for(Safety.SAFE) or finding.fix_for(Safety.UNSAFE)
        if fix is not None:
            proofs.append(prove(finding, fix, alone=_is_alone(fix, findings), bench=bench))
    return proofs


def objection_of(bench: Bench | None, settings: Settings) -> Callable[[Source, Finding, Fix], str | None]:
    """Give a function that says why a fix is not what it claims to be; None when nothing speaks against it."""

    @lru_cache(maxsize=4)
    def findings_of(source: Source) -> Sequence[Finding]:
        return check_source(source, settings).findings

    def objection(source: Source, finding: Finding, fix: Fix) -> str | None:
        proof = prove(finding, fix, alone=_is_alone(fix, findings_of(source)), bench=bench)
        if proof.disagreement is not None:
            return f"trace and tensors disagree, which is a mistake in adalint: {proof.disagreement}"
        if proof.contradicts:
            return f"it is not what it claims to be ({fix.effect}): {proof.story}"
        return None

    return objection


def _is_alone(fix: Fix, findings: Sequence[Finding]) -> bool:
    """Tell whether the configuration that a fix is for has no other error."""
    errors = [one.fixes[0].before for one in findings if one.severity is Severity.ERROR and one.fixes]
    return sum(plan == fix.before for plan in errors) < 2


def prove(finding: Finding, fix: Fix, *, alone: bool = True, bench: Bench | None = None) -> Proof:
    """Run both sides of a fix that can be applied; `alone` says that its Site has no other error.

    Raises:
        ValueError: the fix is only shown, so that there is no other side.
    """
    before, after = fix.before, fix.after
    if fix.edits and before is None:
        return Proof(finding, fix, Verdict.IDENTICAL, "identical: only a comment changes", "proven")
    if before is None or after is None:
        raise ValueError(f"{fix.title!r} changes nothing")
    if before.values["peft_type"] != after.values["peft_type"]:
        return Proof(finding, fix, Verdict.RUNS, "raises KeyError when it is loaded, runs now", "proven")
    if finding.code in RENAMED:
        return Proof(finding, fix, Verdict.RUNS, "the framework refuses the option, takes it now", "proven")
    refused = _refused(before)
    if before.values["inference_mode"] == Literal(True) and refused is not None and _refused(after) is None:
        # A trained adapter is loaded, not trained: whether PEFT takes its configuration is all there is to see.
        return Proof(finding, fix, Verdict.RUNS, f"raises {refused} when it is loaded, loads now", "proven")
    if bench is not None and bench.release is not None:
        before, after = replace(before, release=bench.release), replace(after, release=bench.release)
    trials = list(islice(trials_of(before, after), MAX_TRIALS))
    changed = changed_fields(before, after, before.release)
    results = _tried(before, after, changed, trials, bench)
    evidence = _evidence(results, bench)
    assumptions = tuple(assumptions_of(before, after, trials))
    alone = alone and not _hits_another_mistake(results, fix.effect)
    verdict, story, certainty = _judge(results, changed, assumptions, alone=alone)
    if verdict is Verdict.IDENTICAL and not changed:
        # Nothing had to be supposed: PEFT reads the same.
        assumptions = ()
    disagreement = next((found for one in results if (found := one.disagreement)), None)
    return Proof(finding, fix, verdict, story, certainty, assumptions, evidence, disagreement)


def _refused(plan: Plan) -> str | None:
    """Name the exception with which PEFT refuses a configuration when it is made, where that is certain."""
    values = {name: expr.value if isinstance(expr, Literal) else UNKNOWN for name, expr in plan.values.items()}
    failures = (failure for _, failure in certain_failures(values, plan.release))
    return next((one.exception for one in failures if one.stage is Stage.CONSTRUCTION), None)


@dataclass(frozen=True, slots=True)
class _Result:
    """One trial: its plans, what the trace says, and what tensors show, or why they were not asked."""

    trial: dict[str, Any]
    before: Plan
    after: Plan
    traced: Traced
    compared: Compared | None
    why_traced: str | None
    unknown: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict of the trace, made finer by what tensors show."""
        if self.traced.verdict is not Verdict.DIFFERS:
            return self.traced.verdict
        if self.unknown:
            return Verdict.CANNOT_SAY
        if self.compared is not None and self.compared.identical:
            # A shorter run may have left out what makes the difference.
            return Verdict.IDENTICAL if self.compared.factor == 1 else Verdict.CANNOT_SAY
        return Verdict.DIFFERS

    @property
    def story(self) -> str:
        """Say it in words."""
        traced, compared = self.traced, self.compared
        if traced.verdict is Verdict.DIFFERS and self.unknown:
            return f"cannot say: what {', '.join(self.unknown)} does depends on the model"
        if compared is None or traced.verdict not in (Verdict.DIFFERS, Verdict.FINISHES):
            return traced.story
        head, sep, _ = traced.story.rpartition("; ")
        if traced.verdict is Verdict.FINISHES:
            prefix = "the steps before it are the same" if compared.apart is None else "the steps before it differ"
            return f"{head}{sep}{prefix}"
        if compared.identical and compared.factor > 1:
            return f"cannot say: nothing came of it in a shorter run, but {traced.story.removeprefix('differs: ')}"
        if compared.identical:
            return f"identical in this run, although {traced.story.removeprefix('differs: ')}"
        step, most = compared.apart, f"{compared.distance:.3g}"
        what = traced.story.removeprefix("differs: ")
        if compared.factor > 1:
            where = f"step {step} of a run divided by {compared.factor}"
            return f"differs from optimizer {where} on, by up to {most} in loss: {what}"
        return f"differs from optimizer step {step} on, by up to {most} in loss: {what}"

    @property
    def disagreement(self) -> str | None:
        """Say where trace and tensors contradict each other."""
        compared = self.compared
        if compared is None:
            return None
        if compared.disagreement is not None:
            return compared.disagreement
        if self.traced.verdict is Verdict.IDENTICAL and not compared.identical:
            return "different runs, where the schema sees the same configuration"
        if self.traced.same_before and compared.apart is not None:
            return f"different runs from optimizer step {compared.apart} on, where the trace sees the same"
        return None


def _tried(
    before: Plan, after: Plan, changed: list[str], trials: list[dict[str, Any]], bench: Bench | None
) -> list[_Result]:
    """Trace every trial, and run as many in tensors as the bench allows."""
    unknown = tuple(beyond_a_stand_in(before, after, changed))
    plans = [(before.assume(trial), after.assume(trial)) for trial in trials]
    traced = [compare(first, second, changed) for first, second in plans]
    places = _worth_running(traced)
    chosen = {places[at] for at in evenly(len(places), bench.trials if changed else 1)} if bench else set()
    results = []
    for at, (first, second) in enumerate(plans):
        compared, why = _run(first, second, bench, unknown) if bench and at in chosen else (None, None)
        results.append(_Result(trials[at], first, second, traced[at], compared, why, unknown))
    return results


def _worth_running(traced: list[Traced]) -> list[int]:
    """Choose the trials that say something, by their places: those in which training starts, if there are any."""
    told = [at for at, one in enumerate(traced) if one.verdict is not Verdict.CANNOT_SAY]
    return [at for at in told if starts(traced[at].second)] or told


def _run(first: Plan, second: Plan, bench: Bench, unknown: tuple[str, ...]) -> tuple[Compared | None, str | None]:
    from adalint.verify.tensors import NotRun, run_both

    if unknown:
        return None, "a stand-in for the model cannot show what changes"
    try:
        return run_both(first, second, bench), None
    except NotRun as reason:
        return None, str(reason)


def _hits_another_mistake(results: list[_Result], effect: Effect) -> bool:
    """Tell whether all that still fails does so for a mistake that the fix is not about."""
    failing = [one.traced for one in results if one.traced.verdict is Verdict.STILL_FAILS]
    # What changes training promises nothing of a configuration that raises before and after.
    return bool(failing) and all(
        one.hidden or (effect is Effect.CHANGES and one.first == one.second) for one in failing
    )


def _judge(
    results: list[_Result], changed: list[str], assumptions: tuple[str, ...], *, alone: bool
) -> tuple[Verdict, str, str]:
    """Put the trials together: verdict, story and certainty."""
    # Where PEFT reads other values, the trials that were run tell whether anything comes of it.
    ran = [one for one in results if one.compared is not None]
    if ran and all(one.traced.verdict is Verdict.DIFFERS for one in results):
        results = [one for one in ran if one.verdict is Verdict.DIFFERS] or ran
    verdicts = {one.verdict for one in results}
    first = results[0]
    if Verdict.STILL_FAILS in verdicts and not alone:
        story = f"cannot say: {first.story}, for another mistake in the same configuration"
        return Verdict.CANNOT_SAY, story, "cannot say"
    if verdicts == {Verdict.CANNOT_SAY} and first.story:
        return Verdict.CANNOT_SAY, first.story, "cannot say"
    if len(verdicts) > 1 or Verdict.CANNOT_SAY in verdicts:
        return Verdict.CANNOT_SAY, "cannot say: it depends on values that the text does not tell", "cannot say"
    [verdict] = verdicts
    if verdict is Verdict.IDENTICAL and not changed:
        return verdict, first.story, "proven"
    stories = {one.story for one in results}
    story = first.story if len(stories) == 1 else f"{first.story} (for {named(first.trial)})"
    supposed = bool(assumptions) or verdict is Verdict.IDENTICAL
    return verdict, story, "holds for all tried" if supposed else "proven"


def _evidence(results: list[_Result], bench: Bench | None) -> Evidence | None:
    """Show both sides of the first trial that was run, else of the first in which training starts."""
    ran = [one for one in results if one.compared is not None]
    started = [one for one in results if starts(one.traced.second)]
    shown = (ran or [one for one in started if one.why_traced] or started or results)[0]
    before = outcome_of(shown.before, shown.traced.first)
    after = outcome_of(shown.after, shown.traced.second)
    if shown.compared is None:
        return Evidence(Engine.TRACE, before, after, len(results), why_traced=shown.why_traced)
    before, after = shown.compared.outcomes(before, after)
    return Evidence(
        bench.engine if bench else Engine.TRACE,
        before,
        after,
        len(results),
        len(ran),
        shown.compared.factor,
        shown.compared.steps,
        shown.compared.apart,
        shown.compared.distance,
    )
