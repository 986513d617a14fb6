"""Judging what a hyper-parameter search may choose: rules that fire only for some of its choices.

Only rules that look at the values of fields alone are asked: whatever else the file does, that choice brings it about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from adalint.findings import Finding, Related
from adalint.report.words import said
from adalint.rulebook.judge import fire
from adalint.site import Surface
from adalint.spaces import at_corner, corners, searched_symbols
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adalint.rulebook.judge import Fired
    from adalint.rulebook.pages import Rulebook
    from adalint.site import Site
    from adalint.source import Span
    from adalint.values import Symbol

_OF_VALUES: Final = frozenset(
    {
        "ADA102",
        "ADA103",
        "ADA104",
        "ADA108",
        "ADA202",
        "ADA203",
        "ADA204",
        "ADA205",
        "ADA207",
        "ADA213",
        "ADA214",
        "ADA303",
        "ADA305",
        "ADA306",
        "ADA307",
        "ADA310",
        "ADA312",
        "ADA315",
        "ADA318",
        "ADA319",
    }
)
_OF_NUMBERS: Final = _OF_VALUES - {"ADA213", "ADA303", "ADA307", "ADA310", "ADA312", "ADA319"}
"""Those that hold whatever the code behind a search space of JSON or YAML makes of words, fractions and switches."""
_WITH: Final[Mapping[str, str]] = {"en": " with ", "zh": " 与 "}


@dataclass(frozen=True, slots=True)
class _Seen:
    """One rule at one place: at which corners it fires, and how it does there."""

    corners: list[Mapping[Symbol, Any]]
    fired: list[Fired]


def found_at_corners(
    site: Site, known: Sequence[Fired], rulebook: Rulebook, release: str, transformers: str | None, language: str
) -> Iterator[tuple[Fired, Finding]]:
    """Find what is wrong only when the search chooses so, once for each rule and place, and say which choice it is."""
    asked = _OF_NUMBERS if site.surface is Surface.SEARCH else _OF_VALUES
    certain = {one.identity for one in known}
    everywhere = list(corners(site))
    seen: dict[tuple[str, tuple[str, ...]], _Seen] = {}
    for corner in everywhere:
        for one in fire(at_corner(site, corner), rulebook, release, transformers):
            if one.rule.code in asked and one.identity not in certain:
                here = seen.setdefault(one.identity, _Seen([], []))
                here.corners.append(corner)
                here.fired.append(one)
    for here in seen.values():
        searched = _responsible(here, everywhere, site)
        if searched:
            one = here.fired[0]
            yield one, _said(one, searched, site, language)


def _responsible(here: _Seen, everywhere: Sequence[Mapping[Symbol, Any]], site: Site) -> frozenset[Symbol]:
    """Name the symbols on which it depends whether the rule fires; where none, those that the rule looks at."""
    corner = here.corners[0]
    comparable = [other for other in everywhere if other.keys() == corner.keys()]
    decisive = {
        symbol
        for other in comparable
        if other not in here.corners
        for symbol in corner
        if _differ_only_in(symbol, other, here.corners)
    }
    if decisive:
        return frozenset(decisive)
    looked_at = (searched_symbols(site.values[name].expr, site.spaces) for name in here.fired[0].at)
    return frozenset().union(*looked_at) & corner.keys()


def _differ_only_in(symbol: Symbol, other: Mapping[Symbol, Any], fired: Sequence[Mapping[Symbol, Any]]) -> bool:
    return any(
        all(one[name] == value or name == symbol for name, value in other.items())
        for one in fired
        if one.keys() == other.keys()
    )


def _said(one: Fired, searched: frozenset[Symbol], site: Site, language: str) -> Finding:
    """Say which choice brings it about, and point at it."""
    finding = one.finding(language)
    chosen = [
        name
        for name in (*one.at, *(name for name in site.values if name not in one.at))
        if searched_symbols(site.values[name].expr, site.spaces) & searched
    ]
    # A field that the rule looks at says it better than another one that the same choice decides.
    named = [name for name in chosen if name in one.at] or chosen
    values = one.facts.site.values
    words = [f"{site.key_of(name)}={expr.value!r}" for name in named if isinstance(expr := values[name].expr, Literal)]
    choice = _WITH[language].join(words)
    message = said("the search may choose {choice}: {problem}", language, choice=choice, problem=finding.message)
    places = {name: _place(name, searched, site) for name in (*named, *one.at) if name in site.values}
    beside = [value for name in named if not (value := site.values[name]).span.contains(places[name])]
    first, *others = dict.fromkeys([*places.values(), *(value.key_span for value in beside)])
    related = tuple(Related(span, f"{site.key_of(_name_at(span, places, site))} is here") for span in others)
    return replace(finding, message=message, span=first, related=related, fixes=())


def _place(name: str, searched: frozenset[Symbol], site: Site) -> Span:
    """Point at the search space of a field, at the field where no single one decides it."""
    value = site.values[name]
    spans = [site.spaces[symbol].span for symbol in searched_symbols(value.expr, site.spaces) & searched]
    return spans[0] if len(spans) == 1 and spans[0] is not None else value.key_span


def _name_at(span: Span, places: Mapping[str, Span], site: Site) -> str:
    return next((name for name, place in places.items() if span in {place, site.values[name].key_span}), "")
