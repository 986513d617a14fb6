"""The releases of PEFT, transformers and accelerate that a project pins, and so is judged by.

The nearest pins upward of a file count, up to the root of the repository; in one folder lock files come first, then
`requirements*.txt`, conda environments, and `pyproject.toml`. A file that cannot be read, or makes no sense, pins
nothing. Markers are asked for Linux, where models are trained, and the Python that runs adalint.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import replace
from fnmatch import fnmatch, translate
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from adalint.releases import NEWEST, newest_allowed
from adalint.source import Kind
from adalint.targets.conda import conda, conda_spec
from adalint.targets.locks import lock, pipfile_lock
from adalint.targets.pyproject import pins_of_pyproject
from adalint.targets.requirement import LAST, PACKAGES, Pin, newest, requirement, together, version_of
from adalint.targets.requirements_txt import requirements, text_of
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adalint.settings import Settings
    from adalint.site import Site
    from adalint.source import Source

__all__ = [
    "LAST",
    "PACKAGES",
    "PIN_FILES",
    "Pin",
    "finder",
    "over",
    "pins_in",
    "pins_of",
    "pins_of_command",
    "pins_within",
    "release_for",
]

PIN_FILES: Final = (
    *("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pylock.*.toml", "Pipfile.lock"),
    *("requirements.txt", "requirements*.txt"),
    *("environment*.yml", "environment*.yaml", "conda.yml", "conda.yaml"),
    "pyproject.toml",
)
"""Names of files that hold pins, the most telling first."""
_MAY_PIN: Final = re.compile("|".join(map(translate, PIN_FILES)), re.IGNORECASE)
"""Tells at once that a name is none of these: nearly every file of a folder."""


def finder() -> Callable[[str], Mapping[str, Pin]]:
    """Give the function that finds the nearest pins upward of a file, by package; each folder is looked at once."""

    @cache
    def nearest(folder: str) -> Mapping[str, Pin]:
        own = pins_in(folder)
        parent = os.path.dirname(folder)
        if parent == folder or os.path.lexists(os.path.join(folder, ".git")):
            return own
        return {**nearest(parent), **own} if own else nearest(parent)

    return lambda path: nearest(os.path.dirname(os.path.abspath(path)))


def over(settings: Settings, pins: Mapping[str, Pin]) -> Settings:
    """Fill in the targets that neither flags nor settings name."""
    said: dict[str, Any] = {}
    for package, pin in pins.items():
        if package in PACKAGES and getattr(settings, f"target_{package}") is None:
            said |= {f"target_{package}": pin.release, f"target_{package}_source": pin.source}
    return replace(settings, **said) if said else settings


def release_for(site: Site, settings: Settings) -> str:
    """Tell the release of PEFT to judge a configuration by: the target, else what its framework or its saving names."""
    if settings.target_peft is not None:
        return settings.target_peft
    if site.framework is not None and site.framework.peft is not None:
        return newest_allowed(site.framework.peft) or NEWEST
    written = site.values.get("peft_version") if site.saved else None
    if written is None or not isinstance(written.expr, Literal) or not isinstance(written.expr.value, str):
        return NEWEST
    # A development build adds the commit: `0.18.1.dev0@3f1d`.
    version = version_of(written.expr.value.partition("@")[0])
    return NEWEST if version is None else version.public


def pins_within(source: Source) -> Mapping[str, Pin]:
    """Read what a notebook installs itself, `%pip install peft==0.14.0`, the last word of each package."""
    if source.kind is not Kind.NOTEBOOK:
        return {}
    from adalint.embedded import installs_in

    pins: dict[str, Pin] = {}
    for cell, command in installs_in(source):
        pins |= pins_of_command(command, f"{source.path}:cell {cell}")
    return pins


def pins_in(folder: str) -> Mapping[str, Pin]:
    """Read the pins of one folder."""
    try:
        names = sorted(name for name in os.listdir(folder) if _MAY_PIN.match(name))
    except OSError:
        return {}
    pins: dict[str, Pin] = {}
    found = dict.fromkeys(name for pattern in PIN_FILES for name in names if fnmatch(name, pattern))
    for name in found:
        pins = {**pins_of(os.path.join(folder, name)), **pins}
    return pins


def pins_of(path: str) -> Mapping[str, Pin]:
    """Read the pins of one file, told by its name what it is."""
    text = text_of(path)
    if text is None:
        return {}
    name = os.path.basename(path)
    try:
        if name == "pyproject.toml":
            return pins_of_pyproject(path, text)
        if name.endswith((".yml", ".yaml")):
            return together(conda(path, text))
        if name.endswith(".txt"):
            return together(requirements(path, text, [path]))
        return newest(pipfile_lock(path, text) if name == "Pipfile.lock" else lock(path, text))
    except (ValueError, TypeError, AttributeError, RecursionError):
        # Whatever shape it has, somebody else's file ends no run.
        return {}


def pins_of_command(command: str, place: str) -> Mapping[str, Pin]:
    """Read what a line of a notebook or shell installs: `%pip install peft==0.14.0`.

    `place` is what stands for the file in the pins' sources.
    """
    try:
        words = shlex.split(command.strip().lstrip("!%"), comments=True)
    except ValueError:
        return {}
    if "install" not in words or not words[0].startswith(("pip", "uv", "python", "conda", "mamba")):
        return {}
    parse = conda_spec if words[0] in {"conda", "mamba"} else requirement
    wanted = [word for word in words[words.index("install") + 1 :] if not word.startswith("-")]
    return together(said for word in wanted if (said := parse(word, place, None)) is not None)
