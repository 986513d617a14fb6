"""What PEFT does with the field under the cursor, and what the rule means that a comment silences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.embedded import HOSTS, Embedded, texts_in
from adalint.planning import SHOWN, field_of, look_ahead
from adalint.readers import read_sites
from adalint.readers.errors import ReadError
from adalint.report.plan_text import origin_of
from adalint.report.words import one_line, said
from adalint.rulebook.pages import load
from adalint.schema import FIELDS, Use, meanings, use_of
from adalint.site import Surface
from adalint.source import Span
from adalint.story import what_happens
from adalint.suppress import MARK, directives_of
from adalint.targets import over, pins_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.planning import Outlook
    from adalint.settings import Settings
    from adalint.site import Site
    from adalint.source import Source

LONGEST: Final = 300
"""Characters of a value that are shown."""

USES: Final = {
    Use.HONOURED: "PEFT {release} uses it.",
    Use.IGNORED: "PEFT {release} accepts it and never reads it: training is the same without it.",
    Use.REFUSED: "PEFT {release} raises when it is set: AdaLoRA does not support it.",
    Use.OUTPUT: "PEFT {release} writes it while it trains.",
    Use.METADATA: "PEFT {release} keeps it in the saved configuration; training does not depend on it.",
    None: "PEFT {release} has no such field; it came with {since}.",
}
"""What is said of a field, by what PEFT does with it."""


@dataclass(frozen=True, slots=True)
class Hover:
    """A text in Markdown, and the place in the source that it is about."""

    markdown: str
    span: Span


def hover(source: Source, settings: Settings, offset: int) -> Hover | None:
    """Explain what stands at an offset; None when that is nothing of adalint's."""
    try:
        return _of_rule(source, settings, offset) or _of_field(source, over(settings, pins_within(source)), offset)
    except ReadError:
        return None


def _texts_at(source: Source, offset: int) -> Iterator[tuple[Source, int]]:
    """Give the texts that an offset of the source lies in, each with the offset there."""
    if source.kind in HOSTS:
        yield source, offset
    place = Span(offset, offset)
    for text in texts_in(source):
        if not isinstance(text, Embedded):
            yield text, offset
        elif text.holds(place):
            yield text, text.span_in(place).start


def _out(text: Source, span: Span) -> Span:
    return text.span_out(span) if isinstance(text, Embedded) else span


def _of_rule(source: Source, settings: Settings, offset: int) -> Hover | None:
    if MARK.encode() not in source.content.lower():
        return None
    for text, at in _texts_at(source, offset):
        for directive in directives_of(text):
            for word in directive.words:
                if word.span.start <= at <= word.span.stop:
                    rule = load(settings.rule_folders).find(word.text)
                    if rule is None:
                        return None
                    summary = rule.summary_zh if settings.language == "zh" else rule.summary
                    severity = said(str(rule.severity), settings.language)
                    page = f"**{rule.code} {rule.name}** ({severity})\n\n{summary}\n\n{rule.body.strip()}\n"
                    return Hover(page, _out(text, word.span))
    return None


def _of_field(source: Source, settings: Settings, offset: int) -> Hover | None:
    for text, at in _texts_at(source, offset):
        if text.kind in HOSTS:
            continue
        sites = [site for site in read_sites(text) if site.surface not in {Surface.ELSEWHERE, Surface.SEARCH}]
        found = field_at(sites, at)
        if found is not None:
            site, name, span = found
            told = about_field(name, site, look_ahead(site, settings), settings.language)
            return Hover(told, _out(text, span))
        heads = [site for site in sites if site.head.start <= at < max(site.head.stop, site.head.start + 1)]
        if heads:
            outlook = look_ahead(heads[0], settings)
            return Hover(_story(outlook, settings.language), _out(text, heads[0].head))
    return None


def field_at(sites: list[Site], offset: int) -> tuple[Site, str, Span] | None:
    """Find the field that is written at an offset, of the innermost configuration; its key, else its value."""
    found = [
        (site.span.stop - site.span.start, index, site, name, span)
        for index, site in enumerate(sites)
        for name, value in site.values.items()
        for span in (value.key_span, value.span)
        if span.start <= offset <= span.stop and span.stop > span.start and (name in FIELDS or not site.framework)
    ]
    if not found:
        return None
    _, _, site, name, span = min(found, key=lambda one: (one[0], one[4].stop - one[4].start, one[1]))
    return site, name, span


def about_field(name: str, site: Site, outlook: Outlook, language: str) -> str:
    """Say what PEFT does with a field, what it is here, and what comes of it."""
    release = outlook.plan.release
    if name not in FIELDS:
        lines = [f"**`{name}`**", ""]
        sentence = "{name} is no field of AdaLoraConfig in PEFT {release}."
        lines.append(said(sentence, language, name=f"`{name}`", release=release))
        meant = [f"`{one}`" for one in meanings(name)]
        if meant:
            lines.append(said("Is {names} meant?", language, names=" / ".join(meant)))
        return "\n".join(lines)
    lines = [*summary(name, release, language), ""]
    here = field_of(name, site, outlook.plan)
    lines.append(said("Here: {field}", language, field=f"`{_short(origin_of(here, language))}`"))
    if name in SHOWN:
        lines += ["", _story(outlook, language)]
    return "\n".join(lines)


def summary(name: str, release: str, language: str) -> list[str]:
    """Say what a field is, and what a release does with it, as lines of Markdown."""
    field = FIELDS[name]
    kinds = " | ".join(sorted(field.kinds)) or "object"
    default = said("default {value}", language, value=f"`{field.default!r}`")
    use = said(USES[use_of(name, release)], language, release=release, since=field.facts.since)
    doc = field.facts.doc_zh if language == "zh" else field.facts.doc
    return [f"**`{name}`**: `{kinds}`, {default}", "", doc, "", use]


def _story(outlook: Outlook, language: str) -> str:
    return "\n".join(f"- {_escaped(one_line(line))}" for line in what_happens(outlook, language))


def _short(text: str) -> str:
    text = one_line(text).replace("`", "'")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _escaped(text: str) -> str:
    """Write a text so that Markdown shows it as it is."""
    return "".join(f"\\{one}" if one in "\\`*_<>[]" else one for one in text)
