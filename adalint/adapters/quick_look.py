"""Telling that a saved adapter has no findings without looking for places: most of very many have none."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from adalint.plan import assemble
from adalint.readers.mappings import mapping_without_places, site_without_places, value_without_place
from adalint.rulebook.adapter_checks import CHECKS_OF_MASKS
from adalint.rulebook.judge import SiteFacts, fired_by
from adalint.rulebook.pages import load
from adalint.settings import Settings
from adalint.source import Kind, Source
from adalint.targets import release_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.rulebook.judge import Fired
    from adalint.rulebook.pages import Rule

MASKS: Final = "rank_pattern"
"""The field in which the adapters of one collection differ; most have all others in common."""

_MOST_BRACKETS: Final = 500
"""With more of them, lists may lie in lists deeper than the reader that keeps places goes."""


def is_in_order(source: Source, settings: Settings) -> bool:
    """Tell whether a text is a saved adapter without findings; False also where that takes a closer look."""
    root = mapping_without_places(source)
    if root is None or root.get("inference_mode") is not True:
        return False
    alike = {**root, MASKS: {}} if isinstance(root.get(MASKS), dict) else root
    scope = _Scope(settings.rule_folders, settings.target_peft, settings.target_transformers)
    try:
        text = json.dumps(alike)
    except RecursionError:
        return False
    if text.count("[") + text.count("{") > _MOST_BRACKETS:
        return False
    judged = _judged(text, scope)
    facts = _facts_of(source, root, judged)
    if root.get(MASKS) and facts.masks is None:
        return False
    return not any(
        settings.selected(one.rule.code, one.rule.name, one.severity)
        for fired in (judged.fired, fired_by(judged.rules_of_masks, facts))
        for one in fired
    )


@dataclass(frozen=True, slots=True)
class _Scope:
    """What of the settings decides which rules fire."""

    rule_folders: tuple[str, ...]
    target_peft: str | None
    target_transformers: str | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What fires on all adapters that are alike but for their masks, and the rules that look at those."""

    facts: SiteFacts
    fired: tuple[Fired, ...]
    rules_of_masks: tuple[Rule, ...]


@lru_cache(maxsize=64)
def _judged(text: str, scope: _Scope) -> _Judged:
    """Judge the adapters that have this configuration, whatever their masks and weights are."""
    site = site_without_places(Source("adapter_config.json", Kind.JSON, b""), json.loads(text))
    release = release_for(site, Settings(target_peft=scope.target_peft))
    facts = SiteFacts(site, assemble(site, release), release, transformers=scope.target_transformers)
    rules = [rule for rule in load(scope.rule_folders).rules.values() if site.where in rule.where]
    of_masks = [rule for rule in rules if _looks_at_masks(rule)]
    fired = fired_by((rule for rule in rules if rule not in of_masks), facts)
    return _Judged(facts, tuple(fired), tuple(of_masks))


def _looks_at_masks(rule: Rule) -> bool:
    """Tell whether a rule of saved adapters asks for the masks, or for what is computed from them."""
    names = {name for case in rule.cases for name in case.when.names()} if rule.check is None else set()
    return rule.check in CHECKS_OF_MASKS or any(name == MASKS or name.startswith("trace.") for name in names)


def _facts_of(source: Source, root: Mapping[str, Any], judged: _Judged) -> SiteFacts:
    """Give the facts about one adapter, of which all but its masks and its place are known."""
    site, plan = judged.facts.site, judged.facts.plan
    if MASKS not in root:
        return replace(judged.facts, site=replace(site, source=source))
    masks = value_without_place(root[MASKS])
    site = replace(site, source=source, values={**site.values, MASKS: masks})
    return replace(judged.facts, site=site, plan=replace(plan, values={**plan.values, MASKS: masks.expr}))
