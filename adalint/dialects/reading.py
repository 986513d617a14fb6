"""Reading the mappings of JSON and YAML that speak a framework's dialect, as Sites with PEFT's own names.

A dialect's keys are everywhere, in force or not: only a mapping whose own switch turns AdaLoRA on is a Site.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from adalint.dialects.framework import Dropped, Framework, Raised, Renamed
from adalint.dialects.release import is_gone, peft_range, pinned_release
from adalint.dialects.values import handed_on, holds_of, is_refused, translated
from adalint.plan import UNKNOWN_LOOP, Counter, Loop
from adalint.schema.distance import edit_distance
from adalint.site import Site, Surface
from adalint.values import UNKNOWN, Literal, Value, is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from adalint.dialects.record import Record, Target
    from adalint.source import Source, Span
    from adalint.values import Expr

MISSING: Final = object()
_PREFIX: Final = "adalora_"


@dataclass(frozen=True, slots=True)
class Written:
    """What a mapping, or a command line, says: its entries by key, and where an absent one would be pointed at.

    `around` are the keys of the document that it stands in, and `look_up` gives the value at a path of that document.
    `repeated` holds the earlier entries of keys that are written several times.
    """

    source: Source
    span: Span
    head: Span
    entries: Mapping[str, Value]
    around: frozenset[str]
    look_up: Callable[[str], Any]
    repeated: Mapping[str, tuple[Value, ...]]
    open: bool = False
    is_argv: bool = False
    """Words of a command line, of which every parser makes numbers."""
    in_python: bool = False
    """It is handed to the framework's own class or function, so that no other key need tell whose it is."""
    coerces: bool | str | None = None
    """What becomes of text where a number belongs, where that differs from the record's loader."""


def site_of(record: Record, written: Written, file: str) -> Site | None:
    """Read what is written as a Site; None when it is not this dialect, or AdaLoRA is not in force."""
    switch = _switch(record, written)
    if switch is None or not _is_spoken(record, written, file):
        return None
    key, value = switch
    if record.refusal is not None:
        framework = Framework(
            record.title,
            value,
            key,
            has_adalora=False,
            uses_peft=False,
            does=record.refusal.does,
            does_zh=record.refusal.does_zh,
        )
        return _site(written, {}, framework, open_=True)
    is_dump = record.dump is not None and any(fnmatchcase(file, name) for name in record.dump.files)
    silent = frozenset(record.dump.always if record.dump is not None and is_dump else ())
    renamed = () if is_dump else (*_renamed(record, written), *_misspelt(record, written))
    if written.in_python:  # what it imports may be there in an older release alone
        renamed = tuple(one for one in renamed if one.certain)
    values, spelling = translate(record, written, silent) if record.implementation == "peft" else ({}, {})
    framework = Framework(
        record.title,
        value,
        key,
        uses_peft=record.implementation == "peft",
        never_allocates=record.driver is not None and record.driver.who == "nobody",
        spelling=spelling,
        defaults=_defaults(record, is_dump=is_dump),
        renamed=renamed,
        removed=tuple(
            Renamed(one.key, written.entries[one.key], one.to, one.gone, certain=True)
            for one in record.removed
            if one.key in written.entries
        ),
        dropped=tuple(one for one in _dropped(record, written) if one.key not in silent),
        written=frozenset(written.entries),
        raised=() if is_dump or written.open else tuple(_raised(record, written, values)),
        peft=peft_range(record, written.source.path),
    )
    values |= {one.key: one.value for one in renamed}
    values |= {one.key: one.value for one in framework.removed}
    open_ = record.only_written or record.implementation == "own"
    return _site(written, values, framework, open_=open_, loop=_loop(record))


def _site(
    written: Written, values: Mapping[str, Value], framework: Framework, *, open_: bool, loop: Loop = UNKNOWN_LOOP
) -> Site:
    fields = {key: name for name, key in framework.spelling.items()}
    return Site(
        written.source,
        Surface.COMMAND if written.is_argv else Surface.FRAMEWORK,
        written.span,
        written.head,
        values,
        open=open_ or written.open,
        loop=loop,
        repeated={fields[key]: earlier for key, earlier in written.repeated.items() if key in fields},
        accepts=frozenset(
            name for one in (*framework.renamed, *framework.removed) for name in (one.key, one.field or one.to)
        ),
        framework=framework,
    )


def _switch(record: Record, written: Written) -> tuple[str, Value] | None:
    """Find the entry that turns AdaLoRA on, with its key: all of one table of `activate` must hold."""
    if any(key in written.entries and not _is_other(key, off, written) for key, off in record.deactivate.items()):
        return None
    for table in record.activate:
        if all(_holds(key, wanted, written) for key, wanted in table.items()):
            here = [key for key in table if not key.startswith("/")]
            # The last one tells the most: `finetuning_type = "lora"` with `use_adalora = true`.
            nothing = Value(UNKNOWN, written.head, written.head, "")
            return (here[-1], written.entries[here[-1]]) if here else ("", nothing)
    return None


def _holds(key: str, wanted: Any, written: Written) -> bool:
    if key.startswith("/"):
        found = written.look_up(key[1:])
    else:
        entry = written.entries.get(key)
        found = entry.expr.value if entry is not None and isinstance(entry.expr, Literal) else MISSING
        if wanted == "*":
            return entry is not None
    if wanted == "*":
        return found is not MISSING
    options = wanted if isinstance(wanted, tuple) else (wanted,)
    return any(_is_same(found, option) for option in options)


def _is_other(key: str, value: Any, written: Written) -> bool:
    """Tell whether a key certainly has another value."""
    return isinstance(written.entries[key].expr, Literal) and not _holds(key, value, written)


def _is_same(found: Any, option: Any) -> bool:
    if isinstance(found, str) and isinstance(option, str):
        return found.lower() == option.lower()
    if isinstance(option, bool) and isinstance(found, str):
        return found.lower() == str(option).lower()
    return type(found) is type(option) and bool(found == option)


def _is_spoken(record: Record, written: Written, file: str) -> bool:
    detect = record.detect
    if written.in_python:
        return True
    if written.is_argv and record.cli is not None and record.cli.certain:
        return True
    names = written.around
    if any(fnmatchcase(name, pattern) for name in names for pattern in detect.never):
        return False
    if any(fnmatchcase(file, pattern) for pattern in detect.files):
        return True
    if not detect.beside:
        return not detect.files
    return any(fnmatchcase(name, pattern) for name in names for pattern in detect.beside)


def translate(
    record: Record, written: Written, silent: Collection[str] = ()
) -> tuple[dict[str, Value], dict[str, str]]:
    """Translate entries: their values by PEFT's fields, and for each field the key that stands for it.

    A field that is computed from a key has no key of its own: what it becomes cannot be written back.
    """
    entries = written.entries
    of_loader = record.loader.coerces if record.loader is not None else False
    coerces = written.is_argv or (of_loader if written.coerces is None else written.coerces)
    values: dict[str, Value] = {}
    spelling: dict[str, str] = {}
    computed: list[tuple[str, Target]] = []
    for key, targets in record.keys.items():
        for target in targets:
            if target.value is None:
                spelling.update({field: key for field in target.to if field not in spelling})
            applies = target.beside in {None, *entries} and target.unless not in entries
            if key not in entries or key in silent or not applies:
                continue
            if target.value is not None:
                computed.append((key, target))
                continue
            for field in target.to:
                expr = handed_on(entries[key].expr, field, coerces)
                values[field] = _with(entries[key], UNKNOWN if is_refused(expr, field, record) else expr)
                spelling[field] = key
    length = record.total_step
    if length is not None and length.source == "framework" and length.key and length.key in entries:
        steps = handed_on(entries[length.key].expr, "total_step", coerces)
        if isinstance(steps, Literal) and is_number(steps.value) and steps.value > 0:
            values["total_step"] = _with(entries[length.key], steps)
            spelling["total_step"] = length.key
    known = {name: value.expr for name, value in values.items()}
    for key, target in computed:
        for field in target.to:
            if field not in known:
                values[field] = _with(entries[key], translated(entries[key].expr, target, known))
                spelling.pop(field, None)
    return values, spelling


def _with(value: Value, expr: Expr) -> Value:
    return replace(value, expr=expr)


def _defaults(record: Record, *, is_dump: bool) -> dict[str, Expr]:
    """Give what PEFT gets where nothing is written, and that is not its own default; a dump shows that it ran."""
    length = record.total_step
    computed = list(record.computed)
    if length is not None and (is_dump or length.source in {"framework", "unknown"}):
        computed.append("total_step")
    known = {name: Literal(value) for name, value in record.defaults.items()}
    return {**known, **dict.fromkeys(computed, UNKNOWN)}


def _loop(record: Record) -> Loop:
    driver = record.driver
    if driver is None or driver.who in {"user", "unknown"} or driver.every != "optimizer step":
        return UNKNOWN_LOOP
    return Loop(allocates=driver.who == "framework", counter=Counter(start=driver.first))


def _raised(record: Record, written: Written, values: Mapping[str, Value]) -> Iterator[Raised]:
    """Find the values on which its own training raises, where nothing makes it train in another way."""
    for one in record.raises:
        value = values.get(one.field)
        usual = not any(key in written.entries for key in one.unless)
        if usual and value is not None and holds_of(one.when, one.field, value.expr):
            yield Raised(one.field, one.stage, one.exception)


def _renamed(record: Record, written: Written) -> Iterator[Renamed]:
    """Find keys that the targeted release does not know any more, with what they are called there."""
    names = {one.key: one for one in record.renamed if one.key in written.entries}
    release = pinned_release(record, written.source.path) if names else None
    later = {one.key: one for one in record.renamed}
    for key, first in names.items():
        if not is_gone(first.gone, release):
            continue
        last = first
        while last.to in later and is_gone(later[last.to].gone, release):
            last = later[last.to]
        value = written.entries[key]
        said = value.expr.value if isinstance(value.expr, Literal) else ()
        words = said if isinstance(said, list | tuple) else [said]
        outdated = any(_is_same(word, one) for word in words for one in first.unless)
        [field] = _fields(last.to, record) or (None,)
        yield Renamed(key, value, last.to, first.gone, outdated, field, certain=release is not None)


def _misspelt(record: Record, written: Written) -> Iterator[Renamed]:
    """Find keys that the framework refuses because it spells them otherwise: `adalora_delta_t` for `adalora_deltaT`."""
    if not written.is_argv and (record.loader is None or record.loader.unknown_key != "error"):
        return
    others = {one.key for one in (*record.renamed, *record.removed)}
    for key, value in written.entries.items():
        if not key.startswith(_PREFIX) or key in record.keys or key in others:
            continue
        near = {known: edit_distance(key, known, 2) for known in record.keys if known.startswith(_PREFIX)}
        nearest = [known for known, distance in near.items() if distance == min(near.values()) <= 2]
        if len(nearest) == 1:
            [field] = _fields(nearest[0], record) or (None,)
            yield Renamed(key, value, nearest[0], None, field=field, certain=True)


def _fields(key: str, record: Record) -> tuple[str, ...]:
    """Give the one field of PEFT that a key stands for, if it is one."""
    fields = tuple(field for target in record.keys.get(key, ()) for field in target.to if target.value is None)
    return fields if len(fields) == 1 else ()


def _dropped(record: Record, written: Written) -> Iterator[Dropped]:
    for one in record.dropped:
        value = written.entries.get(one.key)
        if value is None or value.expr == Literal(None):
            continue
        asked = value.expr.value if isinstance(value.expr, Literal) else MISSING
        if not any(_is_same(asked, nothing) for nothing in one.unless):
            yield Dropped(one.key, value, one.why, one.why_zh)
