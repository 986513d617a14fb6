"""Checks that a condition cannot say, because they look at every written name of a Site."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adalint.releases import is_known
from adalint.schema import ALIASES, FIELDS, closest_field, fields_of, is_ignored
from adalint.site import Surface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from adalint.rulebook.judge import SiteFacts


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a check has found: the names that it points at, and what messages and fixes may use."""

    at: tuple[str, ...]
    found: Mapping[str, str] = field(default_factory=dict)
    settles: str | None = None


def unknown_field(facts: SiteFacts) -> Iterator[Hit]:
    """Find names that are no field of the target release."""
    site = facts.site
    known = fields_of(facts.release)
    free = site.saved or site.surface in {Surface.PEFT_TYPE, Surface.BLOCK}
    for name in site.values:
        if name in known or name in site.accepts:
            continue
        suggestion = closest_field(name, facts.release, frozenset(site.values))
        target = ALIASES.get(name) or suggestion
        if free and not (name in ALIASES or (suggestion is not None and FIELDS[suggestion].facts.own)):
            continue
        if not is_known(facts.release) and name not in ALIASES:
            continue
        found = {"field": name}
        if target is not None:
            found["meant"] = target
        if suggestion is not None:
            found["suggestion"] = suggestion
        if name in FIELDS:
            found["since"] = FIELDS[name].facts.since
        if target == "deltaT" and name == "delta_r":
            found["rank_step"] = name
        if name in ALIASES and ALIASES[name] is None:
            found["rank"] = name
        yield Hit((name,), found, settles=target)


def ignored_field(facts: SiteFacts) -> Iterator[Hit]:
    """Find LoRA options that AdaLoRA ignores, at a value that is not their default."""
    written = {name: value.expr for name, value in facts.site.values.items()}
    for name, expr in written.items():
        if name in FIELDS and is_ignored(name, expr, facts.release, written) is True:
            yield Hit((name,), {"field": name})


def found_by_the_engine(_: SiteFacts) -> Iterator[Hit]:
    """Find nothing: what cannot be read has no Site, and is reported where it is read."""
    yield from ()


CHECKS: Final[Mapping[str, Callable[[SiteFacts], Iterator[Hit]]]] = {
    "ignored_field": ignored_field,
    "unknown_field": unknown_field,
    "unparsable_file": found_by_the_engine,
    "unreadable_file": found_by_the_engine,
}
