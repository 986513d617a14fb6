"""Health cards of saved adapters: as text for a terminal, as Markdown, as JSON."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from adalint.adapters.card import Further, Trained
from adalint.adapters.weights import State
from adalint.report.sparkline import sparkline
from adalint.report.words import harmless, one_line, said, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adalint.adapters.card import Card

VERSION: Final = 1
_WIDEST_CHART: Final = 60
_LABEL: Final = 14

_TRAINED: Final = {
    Trained.ADAPTIVE: "as AdaLoRA: masks were made",
    Trained.FIXED: "at fixed rank, never as AdaLoRA: no mask was ever made",
    Trained.UNKNOWN: "cannot say",
}

_FURTHER: Final = {
    Further.ANEW: "with update_and_allocate the schedule begins as if it were new",
    Further.PRUNED: "update_and_allocate would prune it once more, to {ranks} ranks; without it the ranks stay",
    Further.EMPTIED: "update_and_allocate would prune it once more, and leave no rank; without it the ranks stay",
    Further.CRASHES: "update_and_allocate would crash in kthvalue; without it the ranks stay",
    Further.UNKNOWN: "cannot say",
}


def render(cards: Sequence[Card], language: str = "en", *, plain: bool = False) -> str:
    """Write cards for a terminal; `plain` draws charts in ASCII."""
    return "\n".join("".join(f"{line}\n" for line in _card(card, language, plain=plain)) for card in cards)


def _card(card: Card, language: str, *, plain: bool) -> Iterator[str]:
    yield one_line(shown_path(card.folder))
    for title, text in _rows(card, language):
        yield f"  {said(title, language):<{_LABEL}}{one_line(text)}"
    rows = card.rows()
    if rows and card.init_r is not None:
        yield ""
        width = max(len(harmless(kind)) for kind, _ in rows)
        for kind, ranks in rows:
            chart = sparkline(_narrowed(ranks), card.init_r, plain=plain)
            yield f"  {harmless(kind):<{width}}  {chart}  {_summary(ranks, language)}"
    if card.findings:
        yield ""
        for finding in card.findings:
            yield f"  {finding.code} {finding.name}: {one_line(finding.message)}"


def _rows(card: Card, language: str) -> Iterator[tuple[str, str]]:
    """Give the lines of a card: a title, to be said in the language, and what there is to tell."""

    def say(sentence: str, **values: object) -> str:
        return said(sentence, language, **values)

    by = f"PEFT {card.peft_version}" if card.peft_version else say("a release that is not told")
    yield "saved by", by
    if card.base_model:
        yield "base model", card.base_model
    yield "trained", say(_TRAINED[card.trained])
    if card.kept is not None:
        yield "ranks", _told_ranks(card, language)
    if card.scale is not None:
        yield "scale", f"{card.scale:.6g}"
    elif card.scales:
        least, most = (f"{find(card.scales.values()):.4g}" for find in (min, max))
        yield (
            "scale",
            say("lora_alpha is not above 0: {least} to {most}, module by module", least=least, most=most),
        )
    yield "weights", _told_weights(card, language)
    yield "loading", _told_loading(card, language)
    labels = "called with labels, it raises AttributeError (trainable_adapter_name), Trainer.evaluate too"
    yield "labels", say(labels) if card.raises_on_labels else say("with labels it works: there is no task_type")
    further, ranks = card.trained_on
    yield "training on", say(_FURTHER[further], ranks=ranks)


def _told_ranks(card: Card, language: str) -> str:
    kept, budget = card.kept or 0, card.budget
    of = None if card.init_r is None else card.init_r * len(card.ranks)
    text = said("{kept} of {all} left in {modules} modules", language, kept=kept, all=of, modules=len(card.ranks))
    if card.reached is None or budget is None:
        return text
    sentence = "; the budget of {budget} is reached" if card.reached else "; the budget of {budget} is not reached"
    return text + said(sentence, language, budget=budget)


def _told_weights(card: Card, language: str) -> str:
    if card.weights.state is not State.READ or card.parameters is None:
        return said("cannot be read: {problem}", language, problem=card.weights.problem)
    types = ", ".join(card.dtypes)
    return said("{count} parameters ({types})", language, count=f"{card.parameters:,}", types=types)


def _told_loading(card: Card, language: str) -> str:
    if card.failures:
        why = ", ".join(f"{one.code} {one.exception}" if one.exception else one.code for one in card.failures)
        return said("PEFT {release} does not load it: {why}", language, release=card.release, why=why)
    if card.weights.state in {State.MISSING, State.POINTER}:
        return said("PEFT {release} finds no weights here", language, release=card.release)
    return said("PEFT {release} loads it", language, release=card.release)


def _narrowed(ranks: Sequence[int]) -> list[float]:
    """Take the mean of neighbours where there are more modules than columns."""
    if len(ranks) <= _WIDEST_CHART:
        return [float(rank) for rank in ranks]
    edges = [round(at * len(ranks) / _WIDEST_CHART) for at in range(_WIDEST_CHART + 1)]
    return [sum(ranks[start:stop]) / (stop - start) for start, stop in pairwise(edges)]


def _summary(ranks: Sequence[int], language: str) -> str:
    least, most, mean = min(ranks), max(ranks), sum(ranks) / len(ranks)
    if least == most:
        return f"{least}"
    return said("{least} to {most}, mean {mean}", language, least=least, most=most, mean=f"{mean:.1f}")


# ── Markdown ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def render_markdown(cards: Sequence[Card], language: str = "en") -> str:
    """Write cards as Markdown: a table for each, and one of its modules."""
    return "\n".join("".join(f"{line}\n" for line in _markdown(card, language)) for card in cards)


def _markdown(card: Card, language: str) -> Iterator[str]:
    yield f"### {_cell(shown_path(card.folder))}"
    yield ""
    yield "| | |"
    yield "|---|---|"
    for title, text in _rows(card, language):
        yield f"| {said(title, language)} | {_cell(text)} |"
    rows = card.rows()
    if rows and card.init_r is not None:
        yield ""
        yield f"| {said('modules', language)} | {said('ranks by layer', language)} | |"
        yield "|---|---|---|"
        for kind, ranks in rows:
            yield f"| {_cell(kind)} | {sparkline(_narrowed(ranks), card.init_r)} | {_summary(ranks, language)} |"
    if card.findings:
        yield ""
        for finding in card.findings:
            yield f"- **{finding.code}** {finding.name}: {_cell(finding.message)}"


def _cell(text: str) -> str:
    """Make a text fit for a cell: nothing in it is markup, and it does not end the cell."""
    escaped = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")
    return "".join(f"\\{one}" if one in "`*_[]~" else one for one in escaped)


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def render_json(cards: Sequence[Card]) -> str:
    """Write one JSON document: an array of cards."""
    return json.dumps([entry(card) for card in cards], indent=2, ensure_ascii=False) + "\n"


def entry(card: Card) -> dict[str, Any]:
    """Give a card as JSON has it; docs/adapters.md tells the keys."""
    further, ranks = card.trained_on
    return {
        "version": VERSION,
        "adapter": shown_path(card.folder),
        "peft_version": card.peft_version,
        "base_model": card.base_model,
        "task_type": card.task_type,
        "saved": card.saved,
        "trained": str(card.trained),
        "init_r": card.init_r,
        "target_r": card.target_r,
        "modules": len(card.ranks),
        "kept": card.kept,
        "budget": card.budget,
        "budget_reached": card.reached,
        "ranks": dict(card.ranks),
        "scale": card.scale,
        "scales": dict(card.scales) or None,
        "weights": {
            "state": str(card.weights.state),
            "problem": card.weights.problem,
            "parameters": card.parameters,
            "dtypes": list(card.dtypes),
        },
        "loading": {
            "peft": card.release,
            "loads": not card.failures if card.weights.state is not State.MISSING else None,
            "failures": [{"code": one.code, "exception": one.exception} for one in card.failures],
        },
        "raises_on_labels": card.raises_on_labels,
        "trained_on": {"outcome": str(further), "kept": ranks},
        "findings": [
            {"code": one.code, "name": one.name, "severity": str(one.severity), "message": one.message}
            for one in card.findings
        ],
    }
