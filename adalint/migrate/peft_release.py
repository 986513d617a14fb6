"""Moving adapters and code to another release of PEFT."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.engine import check_source, fix_source
from adalint.findings import Safety, Severity
from adalint.fixes.operations import Remove, Unplaceable
from adalint.fixes.place import place
from adalint.migrate.texts import Migrated, Note
from adalint.readers.mappings import read_sites
from adalint.releases import in_range
from adalint.schema import TOLERANT, asks_for_nothing, fields_of
from adalint.site import Surface
from adalint.source import Kind

if TYPE_CHECKING:
    from adalint.findings import Finding
    from adalint.settings import Settings
    from adalint.site import Site
    from adalint.source import Source

UNREAD: Final = "ADA901"
_NOT_OF_A_RELEASE: Final = frozenset({UNREAD, "ADA301", "ADA508"})
"""Errors in every release: what cannot be read, misspellings, adapters that are empty."""


def to_release(source: Source, settings: Settings, release: str) -> Migrated:
    """Mend what raises in a release: fields that it does not know in a saved configuration, and findings of errors.

    Raises:
        ReadError: the text is not what its kind says.
    """
    targeted = replace(settings, target_peft=release, pedantic=False)
    slim, done, left = _without_unknown_keys(source, release)
    found = check_source(slim, targeted).findings
    left += [Note(slim.position(one.span.start), one.message) for one in found if one.code == UNREAD]
    raising = {one.code for one in found if one.severity is Severity.ERROR} - _NOT_OF_A_RELEASE
    if not raising:
        return Migrated(source, slim, tuple(done), tuple(left))
    fixed = fix_source(slim, replace(targeted, select=tuple(raising), ignore=(), extend_select=()), Safety.UNSAFE)
    done += [Note(one.position, f"{one.finding.code}: {one.fix.title}") for one in fixed.applied]
    errors = [one for one in fixed.left if one.severity is Severity.ERROR]
    left += [Note(fixed.after.position(one.span.start), f"{one.code}: {_said(one)}") for one in errors]
    return Migrated(source, fixed.after, tuple(done), tuple(left))


def _said(finding: Finding) -> str:
    advice = next((fix.title for fix in finding.fixes), None)
    return finding.message if advice is None else f"{finding.message} ({advice})"


def _without_unknown_keys(source: Source, release: str) -> tuple[Source, list[Note], list[Note]]:
    """Take out of a saved configuration what a release refuses to read, where it asks for nothing."""
    site = _saved(source) if source.kind is Kind.JSON else None
    if site is None or in_range(release, TOLERANT):
        return source, [], []
    done: list[Note] = []
    left: list[Note] = []
    known = fields_of(release)
    places = {name: source.position(one.key_span.start) for name, one in site.values.items() if name not in known}
    for name, position in places.items():
        value = site.values[name]
        if not asks_for_nothing(name, value.expr):
            left.append(Note(position, f"PEFT {release} does not know {name}={value.text}, and raises TypeError"))
            continue
        try:
            edits = place(site, [Remove(name)])
        except Unplaceable as error:
            left.append(Note(position, f"{name} is not taken out: {error}"))
            continue
        done.append(Note(position, f"{name} is taken out: PEFT {release} does not know it"))
        again = _saved(site.source.apply(edits))
        if again is None:
            break
        site = again
    return site.source, done, left


def _saved(source: Source) -> Site | None:
    sites = read_sites(source)
    return sites[0] if sites and sites[0].surface is Surface.ADAPTER_CONFIG else None
