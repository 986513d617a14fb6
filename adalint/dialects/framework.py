"""What a framework does with a configuration that is written in its own words: all that the rules see of a dialect."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.values import Expr, Value


@dataclass(frozen=True, slots=True)
class Renamed:
    """A written option that the targeted release of the framework does not have, and what it is called there."""

    key: str
    value: Value
    to: str
    gone: str | None
    """The first release without it; None where none ever had it."""
    outdated: bool = False
    """Its value means nothing there either."""
    field: str | None = None
    """The field of PEFT that `to` stands for."""
    certain: bool = False
    """The project pins a release without it."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A written option that the framework accepts and does not hand to PEFT, with the reason in both languages."""

    key: str
    value: Value
    why: str
    why_zh: str


@dataclass(frozen=True, slots=True)
class Raised:
    """What the framework's own training raises on the value of a field, and at which stage."""

    field: str
    stage: str
    exception: str


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework and its way with one configuration.

    `spelling` gives for each field of PEFT that can be set the key of this text: as it is written, else as the
    framework calls it. `defaults` holds what the framework gives PEFT where nothing is written. `switch` is the entry
    that turns AdaLoRA on. `never_allocates` says that nothing in the framework calls `update_and_allocate`.
    """

    title: str
    switch: Value
    switch_key: str = ""
    has_adalora: bool = True
    uses_peft: bool = True
    """Its AdaLoRA is that of PEFT."""
    sets_its_keys_only: bool = False
    """A field that it has no key for, it leaves as it is, whatever else it is given."""
    does: str = ""
    """What it does where it has none and is asked for it, and the same in Chinese."""
    does_zh: str = ""
    never_allocates: bool = False
    spelling: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The fields that it computes, each with the key that it does it from, and the text of that where it is written."""
    elsewhere: frozenset[str] = frozenset()
    """The fields that are written outside of this mapping, or under a name that the framework does not know."""
    defaults: Mapping[str, Expr] = field(default_factory=dict)
    renamed: tuple[Renamed, ...] = ()
    removed: tuple[Renamed, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    raised: tuple[Raised, ...] = ()
    """What it raises in training where PEFT would not."""
    written: frozenset[str] = frozenset()
    """The keys of the text, those included that mean nothing to PEFT."""
    peft: str | None = None
    """The releases of PEFT that it can be installed with."""

    def never_sets(self, name: str) -> bool:
        """Tell whether a field keeps the framework's own value, however many more options follow."""
        return self.sets_its_keys_only and name not in {*self.spelling, *self.computed, "total_step"}

    def key_of(self, name: str) -> str:
        """Give the key that stands for a field; a name that is no field of PEFT stands for itself."""
        return self.spelling.get(name, name)

    def spell(self, text: str) -> str:
        """Put the framework's keys in the place of PEFT's fields in a sentence."""
        made = {name: one for name, one in self.computed.items() if one[1]}
        others = {name: key for name, key in self.spelling.items() if name != key}
        names = "|".join(sorted(map(re.escape, {**others, **made}), key=len, reverse=True))
        if not names:
            return text
        # Chinese runs on without blanks, so that `\b` would see no end of a word there.
        hyphen = "-" if any("-" in key for key in others.values()) else ""
        whole = rf"(?<![A-Za-z0-9_.{hyphen}])({names})(?![A-Za-z0-9_])(=-?\w+(?:\.\w+)*(?:(?<=e)[+-]\d+)?)?"

        def spelt(found: re.Match[str]) -> str:
            name, value = found[1], found[2] or ""
            key, said = made.get(name) or (others[name], "")
            return f"{key}={said} ({name}{value})" if said and value not in {"", f"={said}"} else f"{key}{value}"

        return re.sub(whole, spelt, text)
