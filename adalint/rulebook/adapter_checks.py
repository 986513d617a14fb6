"""Checks of a trained adapter: its configuration as PEFT saved it, and the weights beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from adalint.adapters.ranks import is_mask, misfits, module_of
from adalint.adapters.weights import State, fit_at_a_glance, weights_in
from adalint.releases import in_range
from adalint.rulebook.hit import Hit
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.rulebook.judge import SiteFacts

_EMPTIED_BELOW = 0.5
"""An adapter that kept less than this share of its budget was not pruned, it was masked away."""

CHECKS_OF_MASKS = frozenset(
    {
        "adapter_emptied",
        "budget_not_reached",
        "malformed_rank_pattern",
        "rank_zero_on_old_peft",
        "saved_without_allocation",
        "weights_disagree",
    }
)
"""The checks that look at `rank_pattern` or at the weights; no other of a saved adapter may."""

_LOADS_NO_RANK_ZERO = ">=0.8,<0.10"


def saved_without_allocation(facts: SiteFacts) -> Iterator[Hit]:
    """Find an adapter that no mask was ever made for; PEFT writes `rank_pattern` always, people leave it out."""
    if facts.given("rank_pattern") is True and facts.value("rank_pattern") in (Literal(None), Literal({})):
        yield Hit(("rank_pattern",), {})


def budget_not_reached(facts: SiteFacts) -> Iterator[Hit]:
    """Find an adapter that kept more ranks than its budget."""
    found = _kept_and_budget(facts)
    if found is not None and found[0] > found[1]:
        yield Hit(("rank_pattern", "target_r"), _told(facts, *found))


def adapter_emptied(facts: SiteFacts) -> Iterator[Hit]:
    """Find an adapter that kept nothing, or less than half of its budget."""
    found = _kept_and_budget(facts)
    if found is not None and (found[0] == 0 or found[0] < _EMPTIED_BELOW * found[1]):
        told = _told(facts, *found)
        yield Hit(("rank_pattern", "target_r"), told | {"nothing": "0"} if found[0] == 0 else told)


def malformed_rank_pattern(facts: SiteFacts) -> Iterator[Hit]:
    """Find masks that PEFT cannot apply."""
    if facts.masks is not None:
        return
    pattern, init_r = facts.value("rank_pattern"), facts.value("init_r")
    if not isinstance(pattern, Literal) or pattern.value is None or not isinstance(init_r, Literal):
        return
    if not isinstance(pattern.value, dict):
        yield Hit(("rank_pattern",), {"is_no_mapping": type(pattern.value).__name__})
        return
    wrong = {key: mask for key, mask in pattern.value.items() if not is_mask(mask, init_r.value)}
    if wrong:
        key, mask = next(iter(wrong.items()))
        found: dict[str, Any] = {"module": module_of(key), "others": str(len(wrong) - 1)}
        is_short = isinstance(mask, list) and all(isinstance(one, bool) for one in mask)
        found |= {"length": str(len(mask))} if is_short else {}
        yield Hit(("rank_pattern", "init_r"), found)


def weights_disagree(facts: SiteFacts) -> Iterator[Hit]:
    """Find tensors whose shapes are not those that the masks say."""
    init_r = facts.value("init_r")
    is_unset = facts.value("rank_pattern") in (Literal(None), Literal({}))
    kept = {} if is_unset else facts.kept
    if kept is None or not isinstance(init_r, Literal) or type(init_r.value) is not int:
        return
    path = facts.site.source.path
    folder = os.path.dirname(path) or "."
    if not os.path.isfile(path) or fit_at_a_glance(folder, kept, init_r.value):
        return
    weights = weights_in(folder)
    if weights.state is not State.READ:
        return
    wrong = misfits({name: one.shape for name, one in weights.tensors.items()}, kept, init_r.value)
    if wrong:
        first = wrong[0]
        found = {
            "tensor": first.name,
            "file": weights.files[first.name],
            "there": str(first.there),
            "wanted": str(first.wanted),
            "others": str(len(wrong) - 1),
        }
        yield Hit(("rank_pattern",), found if len(wrong) > 1 else found | {"alone": first.name})


def rank_zero_on_old_peft(facts: SiteFacts) -> Iterator[Hit]:
    """Find a module without a rank, which two releases of PEFT cannot load."""
    kept = facts.kept
    if kept is not None and in_range(facts.release, _LOADS_NO_RANK_ZERO):
        empty = [module for module, rank in kept.items() if rank == 0]
        if empty:
            yield Hit(("rank_pattern",), {"module": empty[0], "modules": str(len(empty))})


def not_servable(_: SiteFacts) -> Iterator[Hit]:
    """Find any adapter: servers take LoRA."""
    yield Hit(("peft_type",), {})


def _kept_and_budget(facts: SiteFacts) -> tuple[int, int] | None:
    """Give the ranks that all modules kept together, and how many were to be kept."""
    kept, target = facts.kept, facts.value("target_r")
    if kept is None or not isinstance(target, Literal) or type(target.value) is not int or target.value < 1:
        return None
    return sum(kept.values()), target.value * len(kept)


def _told(facts: SiteFacts, kept: int, budget: int) -> dict[str, Any]:
    modules = len(facts.kept or ())
    return {"kept": str(kept), "budget": str(budget), "modules": str(modules)}
