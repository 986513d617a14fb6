"""Which release of a framework a project uses, as its pins tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from adalint.targets import finder

if TYPE_CHECKING:
    from adalint.dialects.record import Record


def pinned_release(record: Record, path: str) -> str | None:
    """Give the release that the nearest pins upward of a file name; None when they name none."""
    if record.package is None:
        return None
    pin = finder()(path).get(record.package)
    return None if pin is None else pin.release


def peft_range(record: Record, release: str | None) -> str | None:
    """Give the releases of PEFT that a release of the framework is installed with; the newest is meant by None."""
    if release is None:
        return record.peft
    changed = sorted(record.peft_before, key=Version)
    return next((record.peft_before[one] for one in changed if Version(release) < Version(one)), record.peft)


def is_gone(gone: str, release: str | None) -> bool:
    """Tell whether what went with a release is missing from another; the newest is meant where none is named."""
    return release is None or Version(release) >= Version(gone)
