"""Which keys a framework calls otherwise, in its release or its spelling, and what their values mean all the same."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from adalint.dialects.framework import Renamed
from adalint.dialects.release import is_gone
from adalint.dialects.values import is_same
from adalint.schema.distance import edit_distance
from adalint.values import UNKNOWN, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from adalint.dialects.reading import Written
    from adalint.dialects.record import Record
    from adalint.dialects.tables import Renaming
    from adalint.values import Value

_PREFIX: Final = "adalora_"
"""A key that begins with it is AdaLoRA's, whatever else the framework takes."""
_FAR: Final = 3


def renamed_options(record: Record, written: Written, release: str | None) -> tuple[Renamed, ...]:
    """Find the keys that the targeted release, the newest if None, does not have, and has under another name."""
    found = (*_renamed(record, written, release), *_misspelt(record, written))
    if written.in_python:  # what it imports may be there in an older release alone
        return tuple(one for one in found if one.certain)
    return found


def under_known_names(
    record: Record, written: Written, refused: Collection[Renamed], release: str | None
) -> tuple[Written, frozenset[str]]:
    """Give what stands under other names the key that the record knows; also tell which keys then stand nowhere.

    An old name that the pinned release has is how that key is, or would be, written. The value of one that it refuses
    is what will count once it has its new name.
    """
    entries, names = dict(written.entries), dict(written.names)
    moved: set[str] = set()
    meant = {one.key: one.to for one in refused}
    olds = {one.key: one for one in record.renamed}
    for key in dict.fromkeys((*meant, *olds)):
        value, to = written.entries.get(key), _newest_name(meant.get(key, key), olds)
        if value is None or value.expr == Literal(None) or to not in record.names:
            continue
        if to in written.entries and key in meant:
            continue
        means_another = to in entries or _is_outdated(value, olds.get(key))
        entries[to] = replace(value, expr=UNKNOWN) if means_another else value
        if key in meant:
            moved.add(to)
        else:
            names[to] = written.name_of(key)
    for key, old in olds.items():
        to = _newest_name(key, olds)
        if release is not None and not is_gone(old.gone, release) and to not in entries:
            names.setdefault(to, written.name_of(key))
    return replace(written, entries=entries, names=names), frozenset(moved)


def _newest_name(key: str, olds: dict[str, Renaming]) -> str:
    seen = {key}
    while key in olds and olds[key].to not in seen:
        key = olds[key].to
        seen.add(key)
    return key


def _is_outdated(value: Value, old: Renaming | None) -> bool:
    said = value.expr.value if isinstance(value.expr, Literal) else ()
    words = said if isinstance(said, list | tuple) else [said]
    return old is not None and any(is_same(word, one) for word in words for one in old.unless)


def _renamed(record: Record, written: Written, release: str | None) -> Iterator[Renamed]:
    """Find keys that the targeted release does not know any more, with what they are called there."""
    olds = {one.key: one for one in record.renamed}
    names = {key: one for key, one in olds.items() if key in written.entries}
    for key, first in names.items():
        if not is_gone(first.gone, release):
            continue
        last = first
        while last.to in olds and is_gone(olds[last.to].gone, release):
            last = olds[last.to]
        value = written.entries[key]
        yield Renamed(
            key,
            value,
            last.to,
            first.gone,
            _is_outdated(value, first),
            _field_of(last.to, record),
            certain=release is not None,
        )


def _misspelt(record: Record, written: Written) -> Iterator[Renamed]:
    """Find keys that the framework refuses because it spells them otherwise: `adalora_delta_t` for `adalora_deltaT`.

    One that may be an option of another kind is told only where the record lists those.
    """
    if record.loader is None or record.unknown_key(is_argv=written.is_argv) != "error":
        return
    others = record.loader.other_keys
    for key, value in written.entries.items():
        is_own = key.startswith(_PREFIX)
        if key in record.names or not (is_own or others is not None):
            continue
        if any(fnmatchcase(key, name) for name in others or ()):
            continue
        known = [name for name in (*record.names, *(others or ())) if not is_own or name.startswith(_PREFIX)]
        near = {name: edit_distance(key, name, 2) for name in known}
        closest = min(near.values(), default=_FAR)
        nearest = [name for name, distance in near.items() if distance == closest]
        if closest <= min(2, len(key) // 3) and len(nearest) == 1 and nearest[0] in record.keys:
            yield Renamed(key, value, nearest[0], None, field=_field_of(nearest[0], record), certain=True)


def _field_of(key: str, record: Record) -> str | None:
    """Name the one field of PEFT that a key stands for, if it is one."""
    fields = [field for target in record.keys.get(key, ()) for field in target.to if target.value is None]
    return fields[0] if len(fields) == 1 else None
