"""One requirement of a project, and the release that several come to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from adalint.releases import NEWEST, newest_allowed
from adalint.report.words import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PACKAGES: Final = ("peft", "transformers", "accelerate")
"""The packages whose releases decide what a configuration does."""
LAST: Final = 99
"""Stands for the last number of a series that an upper bound ends: below 4.42 lies 4.41.99."""
_LINUX: Final = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "extra": "",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """What a project says about one package.

    `release` is the one to judge by, None when the text does not tell (a branch of a repository). `source` is the
    place and the words: `requirements.txt:3: peft==0.14.0`.
    """

    release: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Said:
    """One requirement: the package, the specifiers (None for an address that tells no release), and where it stands."""

    package: str
    specifiers: str | None
    text: str
    path: str
    row: int | None = None

    @property
    def source(self) -> str:
        """The place and the words."""
        place = shown_path(self.path) if self.row is None else f"{shown_path(self.path)}:{self.row}"
        return f"{place}: {' '.join(self.text.split())}"


def packages_read() -> frozenset[str]:
    """Name the packages whose pins are read: `PACKAGES`, and the frameworks', whose releases dialects ask for."""
    from adalint.dialects import packages

    return packages() | frozenset(PACKAGES)


def together(said: Iterable[Said]) -> dict[str, Pin]:
    """Take all requirements of a package at once, as an installer does."""
    grouped: dict[str, list[Said]] = {}
    for one in said:
        grouped.setdefault(one.package, []).append(one)
    pins = {}
    for package, group in grouped.items():
        known = [one.specifiers for one in group if one.specifiers is not None]
        release = newest_in(package, ",".join(filter(None, known)))
        telling = next((one for one in group if one.specifiers and newest_in(package, one.specifiers)), None)
        address = next((one for one in group if one.specifiers is None), None)
        if telling is not None:
            pins[package] = Pin(release or newest_in(package, telling.specifiers or ""), telling.source)
        elif address is not None:
            pins[package] = Pin(None, address.source)
    return pins


def newest(said: Iterable[Said]) -> dict[str, Pin]:
    """Take the newest of several requirements that do not hold at once: extras, forks of a lock."""
    pins: dict[str, Pin] = {}
    for one in said:
        for package, pin in together([one]).items():
            known = pins.get(package)
            if known is None or (pin.release and (known.release is None or _is_newer(pin.release, known.release))):
                pins[package] = pin
    return pins


def _is_newer(release: str, other: str) -> bool:
    return Version(release) > Version(other)


def newest_in(package: str, specifiers: str) -> str | None:
    """Give the newest release that a range allows, as far as anybody knows; None when it only has a lower bound."""
    try:
        wanted = SpecifierSet(specifiers)
    except InvalidSpecifier:
        return None
    exact = next((version for one in wanted if (version := _exact(one)) is not None), None)
    if exact is not None:
        return exact.public
    ends = [end for one in wanted if (end := _end(one)) is not None]
    if package != "peft":
        return str(min(ends)) if ends else None
    known = newest_allowed(specifiers)
    if known is None:
        # Nothing that we know: it matters only when it is newer than that.
        starts = [start for one in wanted if (start := _start(one)) is not None]
        return str(max(starts)) if starts and max(starts) > Version(NEWEST) else None
    return known if ends or known != NEWEST else None


def _exact(specifier: Specifier) -> Version | None:
    exact = specifier.operator in {"==", "==="} and not specifier.version.endswith(".*")
    return version_of(specifier.version) if exact else None


def _start(specifier: Specifier) -> Version | None:
    if specifier.operator not in {">=", ">", "~=", "=="}:
        return None
    return version_of(specifier.version.removesuffix(".*"))


def _end(specifier: Specifier) -> Version | None:
    """Give the newest release that an upper bound allows, LAST standing for a number that nobody knows."""
    version = version_of(specifier.version.removesuffix(".*"))
    if version is None:
        return None
    match specifier.operator:
        case "<=":
            return version
        case "<":
            return _below(version.release)
        case "~=":
            return _below(bumped(version.release[:-1]))
        case "==":
            return _below(bumped(version.release))
    return None


def bumped(release: Sequence[int]) -> tuple[int, ...]:
    """Raise the last number of a release."""
    return (*release[:-1], release[-1] + 1)


def _below(release: Sequence[int]) -> Version | None:
    numbers = list(release)
    while numbers and numbers[-1] == 0:
        numbers.pop()
    if not numbers:
        return None
    numbers[-1] -= 1
    return Version(".".join(map(str, [*numbers, LAST] if len(numbers) < 3 else numbers)))


def version_of(text: str) -> Version | None:
    """Read a release; None when it is none."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def applies(marker: object) -> bool:
    """Tell whether a marker holds where models are trained; what cannot be told holds."""
    if not isinstance(marker, str) or not marker:
        return True
    try:
        return Marker(marker).evaluate(_LINUX)
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion, KeyError):
        return True


_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def requirement(text: str, path: str, row: int | None) -> Said | None:
    """Read a requirement as pip takes it: by name, or by an address alone."""
    named = _NAME.match(text)
    if named and "://" not in text and canonicalize_name(named[0]) not in packages_read():
        return None  # most are; a whole requirement takes long to read
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        return address(_name_in(text), text, path, row) if "://" in text else None
    if not applies(str(wanted.marker) if wanted.marker else None):
        return None
    name = canonicalize_name(wanted.name)
    if wanted.url:
        return address(name, wanted.url, path, row, text)
    return Said(name, str(wanted.specifier), text, path, row) if name in packages_read() else None


_TELLING = re.compile(r"[@/-]v?(\d+(?:\.\d+)+)(?=$|[#&-]|\.zip|\.tar\.gz)")


def address(name: str | None, url: str, path: str, row: int | None, text: str | None = None) -> Said | None:
    """Take a release from a tag or a file's name in an address; a branch or commit tells none."""
    if name not in packages_read():
        return None
    told = _TELLING.search(url)
    return Said(name, f"=={told.group(1)}" if told else None, text or url, path, row)


def _name_in(url: str) -> str | None:
    egg = re.search(r"[#&]egg=([\w.-]+)", url)
    if egg:
        return canonicalize_name(egg.group(1))
    place = url.partition("#")[0].rpartition("@")[0] or url.partition("#")[0]
    last = (place if "://" in place else url).rstrip("/").rpartition("/")[2]
    return canonicalize_name(last.removesuffix(".git").partition("-")[0])


def newest_alternative(package: str, alternatives: Sequence[str]) -> str:
    """Choose among ranges of which any one may hold: the newest; one without an end is above all."""
    released = {one: newest_in(package, one) for one in alternatives}
    endless = next((one for one, release in released.items() if release is None), None)
    if endless is not None:
        return endless
    return max(alternatives, key=lambda one: Version(released[one] or "0"))


def row_of(text: str, pattern: re.Pattern[str]) -> int | None:
    """Find the first row that a pattern matches."""
    return next((row for row, line in enumerate(text.split("\n"), 1) if pattern.match(line)), None)
