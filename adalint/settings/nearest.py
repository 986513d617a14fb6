"""Which settings hold for a file: those of the nearest folder that has any."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from adalint.patterns import matches
from adalint.settings.flags import NO_FLAGS, over
from adalint.settings.reading import read
from adalint.settings.settled import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from adalint.settings.flags import Flags


def resolver(flags: Flags = NO_FLAGS) -> Callable[[str], Settings]:
    """Give the function that settles the settings for a file or folder, reading each settings file once.

    The nearest settings are taken, then the command line's word over them. The function raises SettingsError when
    they cannot be used.
    """

    @cache
    def alone() -> Settings:
        return over(Settings(), flags)

    @cache
    def given(config: str) -> Settings:
        settings = read(Path(config))
        if settings is None:
            raise SettingsError(f"{config}: there is no [tool.adalint] in it")
        return over(settings, flags)

    @cache
    def nearest(folder: str) -> Settings:
        for name in ("adalint.toml", "pyproject.toml"):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (settings := read(Path(path))) is not None:
                return over(settings, flags)
        parent = os.path.dirname(folder)
        return alone() if parent == folder else nearest(parent)

    def resolve(path: str) -> Settings:
        if flags.isolated:
            return alone()
        place = os.path.abspath(path)
        is_folder = os.path.isdir(place)
        if flags.config is not None:
            settled = given(flags.config)
        else:
            settled = nearest(place if is_folder else os.path.dirname(place))
        return settled if is_folder or not settled.per_file_ignores else _for_file(settled, place)

    return resolve


def _for_file(settled: Settings, path: str) -> Settings:
    here = tuple(
        (glob, selector)
        for glob, selectors in settled.per_file_ignores
        if matches(glob, path, settled.base)
        for selector in selectors
    )
    return replace(settled, ignored_here=here) if here else settled
