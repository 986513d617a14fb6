"""The releases of PEFT that adalint knows, and which of its facts hold in which of them.

All 34 releases on PyPI with AdaLoRA, 0.3.0 (its first) to 0.21.2. A release that is newer than all of them, or that
cannot be read, is judged as the newest known.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from packaging.version import Version

KNOWN: Final = (
    *("0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.6.1", "0.6.2", "0.7.0", "0.7.1", "0.8.0", "0.8.1", "0.8.2", "0.9.0"),
    *("0.10.0", "0.11.0", "0.11.1", "0.12.0", "0.13.0", "0.13.1", "0.13.2", "0.14.0", "0.15.0", "0.15.1", "0.15.2"),
    *("0.16.0", "0.17.0", "0.17.1", "0.18.0", "0.18.1", "0.19.0", "0.19.1", "0.20.0", "0.21.0", "0.21.1", "0.21.2"),
)
NEWEST: Final = KNOWN[-1]


@lru_cache(maxsize=1024)
def in_range(release: str, spec: str) -> bool:
    """Tell whether a release lies in a range such as `>=0.11,<0.14`; an empty range holds everywhere.

    Raises `packaging.specifiers.InvalidSpecifier` when the range itself is malformed.
    """
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(spec).contains(_judged_as(release), prereleases=True)


@lru_cache(maxsize=1024)
def is_known(release: str) -> bool:
    """Tell whether a release is not newer than the newest that adalint knows."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(release) <= Version(NEWEST)
    except InvalidVersion:
        return False


@lru_cache(maxsize=1024)
def newest_allowed(spec: str) -> str | None:
    """Give the newest known release that a pin allows; None when it allows none, or cannot be read."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        allowed = SpecifierSet(spec)
    except InvalidSpecifier:
        return None
    return next((release for release in reversed(KNOWN) if allowed.contains(release)), None)


def _judged_as(release: str) -> Version:
    from packaging.version import Version

    return Version(release if is_known(release) else NEWEST)
