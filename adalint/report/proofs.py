"""What `verify` has found: as text in full, as a line each, and as JSON (its keys are told in docs/verify.md)."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from adalint.findings import Report
from adalint.report.concise import place_of
from adalint.report.sparkline import sparkline
from adalint.report.words import one_line, retold, said, shown_path
from adalint.verify import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from adalint.source import Source
    from adalint.verify import Bench, Evidence, Outcome, Proof

MOST_MODULES: Final = 8
"""Modules whose ranks are written one by one."""


def render(proofs: Iterable[tuple[Source, Proof]], bench: Bench | None, language: str, *, plain: bool) -> str:
    """Tell everything of each proof; `plain` draws the budgets in ASCII."""
    lines: list[str] = []
    for source, proof in proofs:
        lines.append(f"{_place(source, proof)}: {proof.finding.code} {one_line(proof.fix.title)}")
        lines += (f"    {line}" for line in _details(proof, bench, language, plain=plain))
    return "".join(f"{line}\n" for line in lines)


def render_concise(proofs: Iterable[tuple[Source, Proof]], language: str) -> str:
    """Give `path:row:column: CODE title: story (certainty; claim)` for each proof."""
    sentence = "{title}: {story} ({certainty}; claims {effect}, {safety})"
    lines = []
    for source, proof in proofs:
        told = said(sentence, language, title=one_line(proof.fix.title), **_words(proof, language))
        pleas = "".join(f"; {plea}" for plea in _pleas(proof, language))
        lines.append(f"{_place(source, proof)}: {proof.finding.code} {told}{pleas}\n")
    return "".join(lines)


def _words(proof: Proof, language: str) -> dict[str, str]:
    words = {"certainty": proof.certainty, "effect": str(proof.fix.effect), "safety": proof.fix.safety.name.lower()}
    return {"story": retold(one_line(proof.story), language)} | {
        name: said(word, language) for name, word in words.items()
    }


def _details(proof: Proof, bench: Bench | None, language: str, *, plain: bool) -> Iterator[str]:
    words = _words(proof, language)
    yield words["story"]
    if proof.certainty != "cannot say":
        yield said("{certainty}; the fix claims: {effect} ({safety})", language, **words)
    yield from _pleas(proof, language)
    evidence = proof.evidence
    if evidence is not None:
        yield said("before: {facts}", language, facts=_facts(evidence.before, language))
        yield said("after: {facts}", language, facts=_facts(evidence.after, language))
        yield from _budgets(evidence, language, plain=plain)
        yield _source(evidence, bench, language)
    for assumption in proof.assumptions:
        yield said("assumed: {assumption}", language, assumption=retold(one_line(assumption), language))
    if evidence is not None and evidence.run < evidence.trials and evidence.run:
        yield said("assumed values: {run} of {number} combinations are run, all are traced", language,
                   run=evidence.run, number=evidence.trials)  # fmt: skip


def _pleas(proof: Proof, language: str) -> Iterator[str]:
    code = proof.finding.code
    if proof.contradicts:
        yield said("this is not what the fix claims: please report it as a bug in {code}", language, code=code)
    if proof.disagreement is not None:
        sentence = "internal error, please report it: tensors show {difference}"
        yield said(sentence, language, difference=one_line(proof.disagreement))


def _facts(side: Outcome, language: str) -> str:
    facts = [] if side.failure is None else [retold(side.failure, language)]
    if side.live is not None:
        facts.append(said("ranks in memory {ranks}", language, ranks=_ranks(side.live, side.ranks)))
        kept = said("no rank_pattern", language)
        if side.kept is not None:
            kept = said("ranks saved {ranks}", language, ranks=_ranks(side.kept, side.saved_ranks))
        facts.append(kept)
    if side.parameters is not None:
        start = f"{side.parameters:,}"
        told = said("parameters {start}", language, start=start)
        if side.saved_parameters is not None:
            saved = f"{side.saved_parameters:,}"
            told = said("parameters {start}, saved {saved}", language, start=start, saved=saved)
        facts.append(told)
    if side.scale is not None:
        facts.append(said("scale {scale}", language, scale=f"{side.scale:.4g}"))
    return ("；" if language == "zh" else "; ").join(facts) or said("it runs", language)


def _ranks(total: int, modules: Sequence[int]) -> str:
    if not modules:
        return f"{total:,}"
    if len(modules) > MOST_MODULES:
        return f"{total:,} ({min(modules)}..{max(modules)})"
    return f"{total:,} ({' '.join(map(str, modules))})"


def _budgets(evidence: Evidence, language: str, *, plain: bool) -> Iterator[str]:
    sides = {"before": evidence.before.budget, "after": evidence.after.budget}
    top = max((left for budget in sides.values() for _, left in budget), default=0)
    if not 0 < top < math.inf:
        return
    for name, budget in sides.items():
        if not budget:
            continue
        drawn = sparkline([left for _, left in budget], top, plain=plain)
        first, last = (f"{budget[at][1]:,}" for at in (0, -1))
        what = {"chart": drawn, "first": first, "last": last, "step": f"{budget[-1][0]:,}"}
        if name == "before":
            yield said("budget before: {chart} {first} to {last} ranks at step {step}", language, **what)
        else:
            yield said("budget after:  {chart} {first} to {last} ranks at step {step}", language, **what)


def _source(evidence: Evidence, bench: Bench | None, language: str) -> str:
    if evidence.engine is Engine.TRACE:
        if bench is None:
            return said("traced only: without NumPy nothing is run, pip install 'adalint[verify]'", language)
        reason = evidence.why_traced or "it cannot be told how it ends"
        return said("traced only: {reason}", language, reason=retold(reason, language))
    on = said("the reference adapter", language)
    if evidence.engine is Engine.PEFT and bench is not None:
        on = f"PEFT {bench.release}"
    what = {"engine": on, "steps": f"{evidence.steps:,}", "factor": evidence.divided_by}
    if evidence.divided_by > 1:
        return said("run on {engine}: {steps} steps, every length divided by {factor}", language, **what)
    return said("run on {engine}: {steps} steps", language, **what)


def render_json(proofs: Iterable[tuple[Source, Proof]], bench: Bench | None) -> str:
    """Give one array with an object for each proof."""
    return json.dumps([_entry(source, proof, bench) for source, proof in proofs], indent=2) + "\n"


def _entry(source: Source, proof: Proof, bench: Bench | None) -> dict[str, Any]:
    position = source.position(proof.finding.span.start)
    evidence = proof.evidence
    return {
        "code": proof.finding.code,
        "name": proof.finding.name,
        "filename": shown_path(source.path),
        "cell": position.cell,
        "location": {"row": position.row, "column": position.column},
        "fix": proof.fix.title,
        "applicability": proof.fix.safety.name.lower(),
        "effect": str(proof.fix.effect),
        "verdict": str(proof.verdict),
        "story": proof.story,
        "certainty": proof.certainty,
        "assumptions": list(proof.assumptions),
        "as_claimed": not proof.contradicts,
        "disagreement": proof.disagreement,
        "evidence": None if evidence is None else _evidence(evidence, bench),
    }


def _evidence(evidence: Evidence, bench: Bench | None) -> dict[str, Any]:
    on_peft = evidence.engine is Engine.PEFT and bench is not None
    return {
        "engine": str(evidence.engine),
        "peft": bench.release if on_peft and bench else None,
        "why_traced": "NumPy is missing" if bench is None else evidence.why_traced,
        "trials": evidence.trials,
        "trials_run": evidence.run,
        "divided_by": evidence.divided_by,
        "steps": evidence.steps,
        "first_difference": evidence.first_difference,
        "largest_difference": _finite(evidence.largest_difference),
        "before": _side(evidence.before),
        "after": _side(evidence.after),
    }


def _side(side: Outcome) -> dict[str, Any]:
    return {
        "failure": side.failure,
        "live": side.live,
        "kept": side.kept,
        "ranks": list(side.ranks),
        "saved_ranks": list(side.saved_ranks),
        "parameters": side.parameters,
        "saved_parameters": side.saved_parameters,
        "scale": _finite(side.scale),
        "budget": [{"step": step, "ranks": left} for step, left in side.budget],
    }


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _place(source: Source, proof: Proof) -> str:
    return place_of(Report(source), proof.finding.span.start)
