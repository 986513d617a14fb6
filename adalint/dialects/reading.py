"""Reading the mappings of JSON and YAML that speak a framework's dialect, as Sites with PEFT's own names.

A dialect's keys are everywhere, in force or not: only a mapping whose own switch turns AdaLoRA on is a Site.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from adalint.dialects.framework import Dropped, Framework, Raised, Renamed
from adalint.dialects.release import peft_range, pinned_release
from adalint.dialects.renaming import renamed_options, under_known_names
from adalint.dialects.values import as_number, handed_on, holds_of, is_refused, is_same, translated
from adalint.plan import UNKNOWN_LOOP, Counter, Loop
from adalint.site import Site, Surface
from adalint.values import UNKNOWN, Literal, Value, is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from adalint.dialects.record import Record
    from adalint.dialects.tables import Target
    from adalint.source import Source, Span
    from adalint.values import Expr

MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Written:
    """What a mapping, or a command line, says: its entries by key, and where an absent one would be pointed at.

    `around` are the keys of the document that it stands in, and `find` gives the entry at a path of that document.
    `repeated` holds the earlier entries of keys that are written several times, and `names` how keys are written where
    they may be written in several ways.
    """

    source: Source
    span: Span
    head: Span
    entries: Mapping[str, Value]
    around: frozenset[str]
    find: Callable[[str], Value | None]
    repeated: Mapping[str, tuple[Value, ...]]
    names: Mapping[str, str] = field(default_factory=dict)
    hyphens: bool = False
    """All of them are written with hyphens, which the record's keys have not."""
    open: bool = False
    is_argv: bool = False
    """Words of a command line, of which every parser makes numbers."""
    in_python: bool = False
    """It is handed to the framework's own class or function, so that no other key need tell whose it is."""
    coerces: bool | str | None = None
    """What becomes of text where a number belongs, where that differs from the record's loader."""

    def name_of(self, key: str) -> str:
        """Give a key as it is written; one that is not, as the others are."""
        return self.names.get(key, key.replace("_", "-") if self.hyphens else key)


def site_of(record: Record, written: Written, file: str) -> Site | None:
    """Read what is written as a Site; None when it is not this dialect, or AdaLoRA is not in force."""
    switch = _switch(record, written)
    if switch is None or not is_spoken(record, written, file):
        return None
    key, value = switch
    if record.refusal is not None:
        framework = Framework(
            record.title,
            value,
            written.name_of(key),
            has_adalora=False,
            uses_peft=False,
            does=record.refusal.does,
            does_zh=record.refusal.does_zh,
        )
        return _site(written, {}, framework, open_=True)
    is_dump = record.dump is not None and any(fnmatchcase(file, name) for name in record.dump.files)
    silent = frozenset(record.dump.always if record.dump is not None and is_dump else ())
    release = pinned_release(record, written.source.path) if record.renamed or record.peft_before else None
    renamed = () if is_dump else renamed_options(record, written, release)
    known, moved = under_known_names(record, written, renamed, release)
    spoken = translate(record, known, silent) if record.implementation == "peft" else Translation()
    values = dict(spoken.values)
    framework = Framework(
        record.title,
        value,
        written.name_of(key),
        uses_peft=record.implementation == "peft",
        sets_its_keys_only=record.implementation == "peft" and not record.only_written,
        never_allocates=record.driver is not None and record.driver.who == "nobody",
        spelling={name: known.name_of(key) for name, key in spoken.spelling.items()},
        computed=spoken.computed,
        elsewhere=spoken.elsewhere | {name for name, key in spoken.spelling.items() if key in moved},
        defaults=_defaults(record, is_dump=is_dump),
        renamed=tuple(replace(one, key=written.name_of(one.key), to=written.name_of(one.to)) for one in renamed),
        removed=tuple(
            Renamed(written.name_of(one.key), written.entries[one.key], written.name_of(one.to), one.gone, certain=True)
            for one in record.removed
            if one.key in written.entries
        ),
        dropped=tuple(one for one in _dropped(record, written) if one.key not in silent),
        written=frozenset(map(written.name_of, written.entries)),
        raised=() if is_dump or written.open else tuple(_raised(record, written, values)),
        peft=peft_range(record, release),
    )
    values |= {one.key: one.value for one in framework.renamed}
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
        repeated={
            fields[name]: earlier
            for key, earlier in written.repeated.items()
            if (name := written.name_of(key)) in fields
        },
        accepts=frozenset(
            name for one in (*framework.renamed, *framework.removed) for name in (one.key, one.field or one.to)
        ),
        framework=framework,
    )


def _switch(record: Record, written: Written) -> tuple[str, Value] | None:
    """Find the entry that turns AdaLoRA on, with its key: all of one table of `activate` must hold."""
    if any(_entry(key, written) and not _is_other(key, off, written) for key, off in record.deactivate.items()):
        return None
    for table in record.activate:
        if all(_holds(key, wanted, written) for key, wanted in table.items()):
            here = [key for key in table if not key.startswith("/")]
            # The last one tells the most: `finetuning_type = "lora"` with `use_adalora = true`.
            nothing = Value(UNKNOWN, written.head, written.head, "")
            return (here[-1], written.entries[here[-1]]) if here else ("", nothing)
    return None


def _holds(key: str, wanted: Any, written: Written) -> bool:
    entry = _entry(key, written)
    if wanted == "*":
        return entry is not None
    found = entry.expr.value if entry is not None and isinstance(entry.expr, Literal) else MISSING
    options = wanted if isinstance(wanted, tuple) else (wanted,)
    return any(is_same(found, option) for option in options)


def _entry(key: str, written: Written) -> Value | None:
    """Find the entry of a key, or of a path from the document where it begins with `/`."""
    return written.find(key[1:]) if key.startswith("/") else written.entries.get(key)


def _is_other(key: str, value: Any, written: Written) -> bool:
    """Tell whether a key certainly has another value."""
    entry = _entry(key, written)
    return entry is not None and isinstance(entry.expr, Literal) and not _holds(key, value, written)


def is_spoken(record: Record, written: Written, file: str) -> bool:
    """Tell whether what is written is the framework's, by what stands around it and the name of the file."""
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


@dataclass(frozen=True, slots=True)
class Translation:
    """What is written as PEFT has it: values by field, and for each field the key that stands for it.

    A field that is computed from a key has none of its own, as what it becomes cannot be written back; `computed` has
    that key and its text, which is empty where it is not written. What is `elsewhere` stands outside of this mapping.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    spelling: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()


def translate(record: Record, written: Written, silent: Collection[str] = ()) -> Translation:
    """Translate entries into PEFT's fields."""
    entries = written.entries
    of_loader = record.loader.coerces if record.loader is not None else False
    coerces = written.is_argv or (of_loader if written.coerces is None else written.coerces)
    values: dict[str, Value] = {}
    spelling: dict[str, str] = {}
    computed: dict[str, tuple[str, str]] = {}
    later: list[tuple[str, Target]] = []
    for key, targets in record.keys.items():
        for target in targets:
            if target.value is None:
                spelling.update({name: key for name in target.to if name not in spelling})
            applies = target.beside in {None, *entries} and target.unless not in entries
            if target.value is not None:
                computed |= {name: (written.name_of(key), "") for name in target.to if name not in computed}
            if key not in entries or key in silent or not applies:
                continue
            if target.value is not None:
                later.append((key, target))
                continue
            for name in target.to:
                expr = handed_on(entries[key], name, coerces)
                values[name] = _with(entries[key], UNKNOWN if is_refused(expr, name, record) else expr)
                spelling[name] = key
    length = _length(record, written, coerces)
    if length is not None:
        spelling["total_step"], values["total_step"] = length
    known = {name: value.expr for name, value in values.items()}
    for key, target in later:
        number = as_number(entries[key], coerces)
        for name in target.to:
            if name not in known:
                values[name] = _with(entries[key], translated(number, target, known))
                spelling.pop(name, None)
                computed[name] = (written.name_of(key), entries[key].text)
    here = {value.span for value in entries.values()}
    elsewhere = {"total_step"} if length is not None and length[1].span not in here else set()
    return Translation(
        values, spelling, {one: made for one, made in computed.items() if one not in spelling}, frozenset(elsewhere)
    )


def _length(record: Record, written: Written, coerces: bool | str) -> tuple[str, Value] | None:
    """Find the number of steps that the framework counts itself, where a key says it, with the name of that key."""
    told = record.total_step
    entry = _entry(told.key, written) if told is not None and told.source == "framework" and told.key else None
    if told is None or told.key is None or entry is None:
        return None
    steps = handed_on(entry, "total_step", coerces)
    is_known = isinstance(steps, Literal) and is_number(steps.value) and steps.value > 0
    return (told.key.removeprefix("/"), _with(entry, steps)) if is_known else None


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


def _dropped(record: Record, written: Written) -> Iterator[Dropped]:
    for one in record.dropped:
        value = written.entries.get(one.key)
        if value is None or value.expr == Literal(None):
            continue
        asked = value.expr.value if isinstance(value.expr, Literal) else MISSING
        if not any(is_same(asked, nothing) for nothing in one.unless):
            yield Dropped(one.key, value, one.why, one.why_zh)
