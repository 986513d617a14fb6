"""Checks of what `total_step` counts: optimizer steps are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adalint.rulebook.hit import Hit
from adalint.training import Counting, UseKind, Way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.rulebook.judge import SiteFacts


def total_step_counts_samples(facts: SiteFacts) -> Iterator[Hit]:
    """Find a `total_step` that counts the samples of a data set, of which several make one step."""
    yield from _counting(facts, UseKind.SAMPLES_COUNTED)


def total_step_counts_micro_batches(facts: SiteFacts) -> Iterator[Hit]:
    """Find a `total_step` that counts the batches of a loader, of which several make one optimizer step."""
    if all(_counts_steps(facts, number) for number in range(len(facts.site.trainings))):
        yield from _counting(facts, UseKind.MICRO_BATCHES_COUNTED)


def _counting(facts: SiteFacts, kind: UseKind) -> Iterator[Hit]:
    """Give what is counted, unless the run is told to be as long, or the length is set later."""
    site = facts.site
    written = site.values.get("total_step")
    if written is None or site.late_total_step:
        return
    if site.run_length is not None and site.run_length.expr == written.expr:
        return
    for use in site.uses:
        if use.kind is kind:
            yield Hit(("total_step",), use.found)


def _counts_steps(facts: SiteFacts, number: int) -> bool:
    """Tell whether a training makes a step of several of its rounds, and gives the allocator the number of a step."""
    training = facts.site.trainings[number]
    if training.way is not Way.MANUAL:
        return True
    if training.call is not None and training.call.counting is not Counting.STEPS:
        return False
    return training.accumulates is True and training.micro_rounds
