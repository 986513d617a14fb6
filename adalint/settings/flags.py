"""What the command line says about settings, and its word over theirs."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from adalint.settings.keys import READERS, Wrong
from adalint.settings.settled import OFF, TARGETS, Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says about settings; None and empty leave the file's word."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    pedantic: bool = False
    target_peft: str | None = None
    target_transformers: str | None = None
    target_accelerate: str | None = None
    language: str | None = None
    unsafe_fixes: bool = False
    force_exclude: bool = False
    baseline: str | None = None
    isolated: bool = False
    config: str | None = None

    @property
    def take_a_baseline(self) -> bool:
        """Whether a baseline counts: an isolated run takes only one that is named."""
        return self.baseline is not None or not self.isolated


NO_FLAGS: Final = Flags()
"""What a command line without flags says: nothing."""


def over(settings: Settings, flags: Flags) -> Settings:
    """Put the command line's word over settings.

    `--select` starts afresh, so that what a file ignores can be looked at; `--ignore` and `--extend-select` add. What
    `per-file-ignores` say stands.

    Raises:
        SettingsError: a flag holds no selector or no release.
    """
    for key, selectors in (("select", flags.select), ("ignore", flags.ignore), ("extend-select", flags.extend_select)):
        _read(key, list(selectors))
    for name in TARGETS:
        release = getattr(flags, name)
        if release is not None:
            key = name.replace("_", "-")
            settings = replace(settings, **{name: _read(key, release), f"{name}_source": f"--{key}"})
    if flags.language is not None:
        settings = replace(settings, language=_read("lang", flags.language), language_source="--lang")
    if flags.baseline is not None:
        settings = replace(settings, baseline=os.path.abspath(_read("baseline", flags.baseline)))
    severity = settings.severity
    if flags.select:
        settings = replace(settings, select=flags.select, ignore=(), extend_select=())
        severity = {word: level for word, level in severity.items() if level != OFF}
    severity = {word: level for word, level in severity.items() if level != OFF or word not in flags.extend_select}
    kept = tuple(selector for selector in settings.ignore if selector not in flags.extend_select)
    return replace(
        settings,
        ignore=(*kept, *flags.ignore),
        extend_select=(*settings.extend_select, *flags.extend_select),
        severity=MappingProxyType(severity),
        pedantic=settings.pedantic or flags.pedantic,
        unsafe_fixes=settings.unsafe_fixes or flags.unsafe_fixes,
        force_exclude=settings.force_exclude or flags.force_exclude,
    )


def _read(key: str, value: Any) -> Any:
    """Read what a flag says like the key of the same name."""
    try:
        return READERS[key](value)
    except Wrong as wrong:
        raise SettingsError(f"--{key}: {wrong.reason}") from None
