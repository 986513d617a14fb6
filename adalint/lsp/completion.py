"""Names of fields that can still be written where the cursor is.

What is being written is no syntax yet. So a field that the text does not name is put in its place, in each form that
the kind of text has, and the text is read: where a configuration holds that field, names of fields belong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.embedded import texts_in
from adalint.lsp.hover import summary
from adalint.readers import read_sites
from adalint.readers.errors import ReadError
from adalint.schema import FIELDS, Use, fields_of, use_of
from adalint.site import Surface
from adalint.source import Edit, Kind, Source, Span
from adalint.targets import over, pins_within, release_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.settings import Settings
    from adalint.site import Site

_STRANGER: Final = "adalint_probe"
_WORD_BEFORE: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*$|$")
_WORD_AFTER: Final = re.compile(rb"[A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Form:
    """How a field is written around its name: `before` and `after` the name, and what an editor is to insert after it.

    `quoted` says that the cursor is between quotes, which are replaced in the text that is read.
    """

    before: str
    after: str
    inserted: str
    quoted: bool = False


_VALUED: Final = (Form("", "", ""),)
_CALL: Final = (Form("", "=None", "="), Form("", "=None,", "="), Form("", "=None)", "="))
_PYTHON_KEY: Final = (
    Form('"', '": None', '": ', quoted=True),
    Form('"', '": None,', '": ', quoted=True),
)
_JSON_KEY: Final = (
    Form('"', '": null', '": ', quoted=True),
    Form('"', '": null,', '": ', quoted=True),
    Form(',"', '": null', '": ', quoted=True),
)
_YAML_KEY: Final = (Form("", ": null", ": "), Form("", ": null,", ": "))


@dataclass(frozen=True, slots=True)
class Offer:
    """A name that can be written: what replaces `span`, and what an editor tells of it."""

    name: str
    text: str
    span: Span
    useful: bool
    markdown: str
    detail: str


def completions(source: Source, settings: Settings, offset: int) -> list[Offer]:
    """List the fields that can be written at an offset, the most telling first; none where no field belongs."""
    word = _word_at(source, offset)
    probe = _probe_for(source)
    for form, place in _forms(source, word):
        after = source.apply([Edit(place, f"{form.before}{probe}{form.after}")])
        site = _site_with(probe, after)
        if site is not None:
            given = set(site.values) - {probe}
            release = release_for(site, over(settings, pins_within(source)))
            inserted = _insertion(source, place, form)
            names = [name for name in _names(given, release) if site.can_set(name)]
            return [_offer(name, site.key_of(name), release, settings.language, word, inserted) for name in names]
    return []


def _probe_for(source: Source) -> str:
    """Choose a field of AdaLoRA that the text does not name: some mappings are told by having one."""
    own = (name for name, field in FIELDS.items() if field.facts.own)
    return next((name for name in own if name.encode() not in source.content), _STRANGER)


def _word_at(source: Source, offset: int) -> Span:
    before = _WORD_BEFORE.search(source.content[:offset][-100:])
    after = _WORD_AFTER.match(source.content, offset)
    return Span(offset - len(before[0] if before else b""), after.end() if after else offset)


def _forms(source: Source, word: Span) -> Iterator[tuple[Form, Span]]:
    """Give the forms that a field may have here, each with the place that it takes."""
    if source.kind is Kind.SHELL:
        return  # a command line has the options of its framework
    quote = source.content[word.start - 1 : word.start]
    in_quotes = quote in {b'"', b"'"} and word.start > 0
    closed = source.content[word.stop : word.stop + 1] == quote
    quoted = Span(word.start - 1, word.stop + closed)
    forms: tuple[Form, ...]
    if source.content[word.stop : word.stop + 40].lstrip(b" \t")[:1] == b"=":
        forms = _VALUED
    elif source.kind is Kind.JSON:
        forms = _JSON_KEY
    elif source.kind is Kind.YAML:
        forms = _YAML_KEY
    else:
        forms = (*_PYTHON_KEY, *_JSON_KEY[:1]) if in_quotes else _CALL
        if source.kind is Kind.MARKDOWN:
            forms = (*forms, *(_JSON_KEY if in_quotes else _YAML_KEY))
    for form in forms:
        if form.quoted and in_quotes:
            yield form, quoted
        elif not form.quoted and not in_quotes:
            yield form, word


def _site_with(probe: str, source: Source) -> Site | None:
    try:
        texts = texts_in(source)
    except ReadError:
        return None
    for text in texts:
        if probe.encode() not in text.content:
            continue
        try:
            sites = read_sites(text)
        except ReadError:
            continue
        found = [site for site in sites if probe in site.values and site.surface is not Surface.ELSEWHERE]
        if found:
            return min(found, key=lambda site: site.span.stop - site.span.start)
    return None


def _insertion(source: Source, place: Span, form: Form) -> str:
    """Give what an editor inserts behind a name, as far as it does not stand there already."""
    rest = source.content[place.stop : place.stop + 40].lstrip(b" \t")
    if form.quoted:
        is_closed = source.content[place.stop - 1 : place.stop] in {b'"', b"'"} and place.stop - place.start > 1
        if rest.startswith(b":"):
            return "" if is_closed else form.inserted[:1]
        return "" if is_closed else form.inserted
    return "" if rest.startswith((b"=", b":")) else form.inserted


def _names(given: set[str], release: str) -> list[str]:
    """Name the fields of a release that are not given, those that do something first."""
    names = [name for name in FIELDS if name in fields_of(release) and name not in given]
    return sorted(names, key=lambda name: not _is_useful(name, release))


def _is_useful(name: str, release: str) -> bool:
    return use_of(name, release) in {Use.HONOURED, Use.METADATA}


def _offer(name: str, key: str, release: str, language: str, word: Span, inserted: str) -> Offer:
    kinds = " | ".join(sorted(FIELDS[name].kinds)) or "object"
    markdown = "\n".join(summary(name, release, language))
    detail = f"{kinds} = {FIELDS[name].default!r}"
    return Offer(key, f"{key}{inserted}", word, _is_useful(name, release), markdown, detail)
