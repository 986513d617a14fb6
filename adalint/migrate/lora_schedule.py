"""The schedule of a LoRA run that becomes AdaLoRA: in the configuration, or where the length of the run is known.

AdaLoRA wants `total_step` when it is constructed, and most scripts know it only when the loader is there, or leave it
to a Trainer. There the configuration gets a placeholder, which PEFT takes, and the schedule is set before training
begins: `total_step`, `tinit` and `tfinal` are read at each step (`RankAllocator.budget_schedule`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.embedded import Embedded, python_of
from adalint.fixes import hook_edits, loop_edits
from adalint.fixes.operations import AddCallback, Note, Set, Unplaceable
from adalint.fixes.place import place
from adalint.migrate.lora_lightning import lightning_edits
from adalint.readers import read_sites
from adalint.readers.python_once import is_always_wrapped, is_trained_once
from adalint.readers.python_scopes import map_of
from adalint.site import Surface
from adalint.source import Edit, Kind
from adalint.starters import SHORTEST, schedule_for
from adalint.training import Way
from adalint.values import UNKNOWN, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from adalint.site import Site
    from adalint.source import Source
    from adalint.training import Training
    from adalint.values import Expr

WARM_UP: Final = 15
FINAL: Final = 6
"""The phases are a fifteenth and a sixth of a run, as in PEFT's documentation of AdaLoRA and in `adalint new`."""

_NAME: Final = "adalora"
_RATIOS: Final = f"tinit_ratio=1 / {WARM_UP}, tfinal_ratio=1 / {FINAL}"
_LIGHTNINGS_LENGTH: Final = "int(self.trainer.estimated_stepping_batches)"
_NO_LENGTH: Final = re.compile(rb"max_time|max_epochs\s*=\s*-\s*1|IterableDataset|streaming")
"""Signs of runs whose number of steps Lightning gives as infinite."""

_PLACEHOLDER: Final = Set("total_step", "1", Literal(1), after="target_r")
_MOST: Final = 100
"""Configurations in one file; more are left as they are."""


@dataclass(frozen=True, slots=True)
class Late:
    """A schedule that is set when training begins: edits, the comment beside the placeholder, what it is told as."""

    edits: tuple[Edit, ...]
    comment: str
    told: str


def texts_of(source: Source) -> list[Source]:
    """Give the Python that a file or notebook has."""
    return [python_of(source)] if source.kind is Kind.NOTEBOOK else [source]


def carried(text: Source, edits: Iterable[Edit]) -> list[Edit]:
    """Give edits of a text as those of the file that it stands in."""
    return list(text.edits_out(list(edits))) if isinstance(text, Embedded) else list(edits)


def with_phases(source: Source, others: Collection[str]) -> Source:
    """Give every schedule that has its length its phases, but for `others`."""
    for _ in range(_MOST):
        missing = ((site, one) for site in configurations(source, others) for one in _phases(site))
        first = next(missing, None)
        if first is None:
            return source
        site, phase = first
        source = source.apply(carried(site.source, place(site, [phase])))
    return source


def with_late_schedules(source: Source, others: Collection[str], *, capped: bool = False) -> tuple[Source, list[str]]:
    """Give the configurations that lack their length a schedule that is set later, Lightning its hooks, and tell how.

    What cannot be given one is left as it is, and so are `others`. With `capped` only loops are looked at that a
    maximum of steps may end before their epochs do.
    """
    told: list[str] = []
    for number in range(min(_MOST, len(configurations(source, others)))):
        site = configurations(source, others)[number]
        lengths = [one.insertion.length for one in site.trainings if one.insertion is not None]
        is_capped = any(length is not None and length.startswith("min(") for length in lengths)
        late = _late(site) if is_capped or not capped else None
        if late is not None:
            told.append(late.told)
            # Phases of zero are what the constructor takes beside any length.
            held = () if "total_step" in site.values else place(site, [_PLACEHOLDER])
            source = source.apply(carried(site.source, sorted((*held, *late.edits))))
            if held:
                source = _commented(source, configurations(source, others)[number], late.comment)
    return source, told


def why_left(site: Site) -> str | None:
    """Say what keeps a configuration without a schedule, or a call of the allocator; None where nothing does."""
    trained = [one for one in site.trainings if one.reached is not True]
    if not site.trainings:
        return "what trains this model is not seen, or not followed, in this file: nothing would call the allocator"
    if "total_step" in site.values and not trained:
        return None
    if len(site.trainings) > 1:
        return "the model is trained in several places, and a schedule is for one run"
    training = site.trainings[0]
    at = training.at if training.built is None else training.built
    if training.way is Way.TRAINER and not is_always_wrapped(site.source, site.span, at):
        return "the model is wrapped under a condition only, and a run without it has no allocator to call"
    if training.way is Way.TRAINER and not is_trained_once(site.source, site.span, at):
        return "the model is trained again and again, and a schedule is for one run"
    if training.way is Way.TRAINER:
        return "what the Trainer is told does not show where the allocator could be called, or how long it trains"
    if training.reached is not True and training.insertion is None:
        return "the loop does not show one place below the optimizer's step for the allocator's call, or may run again"
    return "the loop does not tell its length: it may end early or skip rounds, or goes through what has no length"


def configurations(source: Source, others: Collection[str] = ()) -> list[Site]:
    """List the AdaLoRA configurations that a file or notebook constructs, but for those of these texts."""
    sites = (site for text in texts_of(source) for site in read_sites(text) if site.surface is Surface.CALL)
    return [site for site in sites if site.source.slice(site.span) not in others]


def _late(site: Site) -> Late | None:
    """Find where the length of a run is known, and have the schedule set there."""
    try:
        if all(one.way is Way.TRAINER and one.built is None and one.reached is False for one in site.trainings):
            return _of_lightning(site)
        if len(site.trainings) == 1:
            return _of_training(site.trainings[0], site)
    except Unplaceable:
        pass
    return None


def _of_training(training: Training, site: Site) -> Late | None:
    source, is_known = site.source, "total_step" in site.values
    if training.way is Way.TRAINER and training.built is not None and training.reached is not True:
        if not is_always_wrapped(source, site.span, training.built):
            return None
        if not is_trained_once(source, site.span, training.built):
            return None
        # A callback that is not seen was written for LoRA, and calls no allocator.
        edits = hook_edits.place(source, [AddCallback(training.built, "" if is_known else _RATIOS)])
        told = "a callback calls it" + ("" if is_known else ", and sets the schedule when training begins")
        return Late(edits, "AdaLoraCallback sets the schedule", f"allocator-never-called: {told}")
    insertion = training.insertion
    if is_known or insertion is None or insertion.loop is None or insertion.length is None:
        return None
    if b"adapter_name" in source.content or re.search(rb"\b%b\b" % _NAME.encode(), source.content):
        return None
    lines = schedule_lines(insertion.outside or insertion.owner, insertion.length)
    edit = loop_edits.put_above(insertion.loop, lines, map_of(source))
    told = f"missing-total-step: the schedule is set above the loop, which makes {insertion.length} steps"
    return Late((edit,), "set below, before training", told)


def _of_lightning(site: Site) -> Late | None:
    fits = len(re.findall(rb"\.fit\(", site.source.content))
    if not is_always_wrapped(site.source, site.span, None) or fits != 1 or _NO_LENGTH.search(site.source.content):
        return None
    if any(not is_trained_once(site.source, site.span, one.at) for one in site.trainings):
        return None
    length = None if "total_step" in site.values else _LIGHTNINGS_LENGTH
    edits = lightning_edits(site.source, length, schedule_lines)
    if edits is None:
        return None
    told = "allocator-never-called: optimizer_step calls it" + (
        "" if length is None else ", on_train_start sets the schedule"
    )
    return Late(edits, "set in on_train_start", told)


def schedule_lines(model: str, length: str) -> list[str]:
    """Write the statements that set the schedule of a wrapped model to the length of the run."""
    return [
        "# AdaLoRA's schedule, now that the length of the run is known",
        f'{_NAME} = {model}.peft_config["default"]',
        f"{_NAME}.total_step = {length}",
        f"{_NAME}.tinit, {_NAME}.tfinal = {_NAME}.total_step // {WARM_UP}, {_NAME}.total_step // {FINAL}",
    ]


def _commented(source: Source, site: Site, comment: str) -> Source:
    """Say beside the placeholder who sets the schedule, where a comment can stand there."""
    try:
        return source.apply(carried(site.source, place(site, [Note("total_step", comment)])))
    except Unplaceable:
        return source


def _phases(site: Site) -> list[Set]:
    """Write the phases that a schedule lacks; those of a symbolic length as expressions in it."""
    total = site.values.get("total_step")
    if total is None or total.text == _PLACEHOLDER.text:
        return []
    if isinstance(total.expr, Literal) and type(total.expr.value) is int and total.expr.value >= SHORTEST:
        made = schedule_for(total.expr.value, 1)
        phases = {"tinit": made.tinit, "tfinal": made.tfinal, "deltaT": made.delta_t}
        known: list[tuple[str, str, Expr]] = [(name, str(number), Literal(number)) for name, number in phases.items()]
    else:
        plain = total.text if total.text.isidentifier() else f"({total.text})"
        known = [("tinit", f"{plain} // {WARM_UP}", UNKNOWN), ("tfinal", f"{plain} // {FINAL}", UNKNOWN)]
    order = ["total_step", *(name for name, *_ in known)]
    return [
        Set(name, text, expr, after=order[at]) for at, (name, text, expr) in enumerate(known) if name not in site.values
    ]
