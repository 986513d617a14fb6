"""Where results may be written: never into the source, and never over something else."""

from __future__ import annotations

import os

from adalint.migrate import MigrationError


def check_target(source: str, target: str) -> None:
    """Refuse a target that cannot take a new folder.

    Raises:
        MigrationError: it is or lies in the source, is no folder, or the folder that it would lie in is missing.
    """
    place, origin = os.path.realpath(target), os.path.realpath(source)
    if place == origin or place.startswith(origin.rstrip(os.sep) + os.sep):
        raise MigrationError(f"{target}: it lies in the source, which is never changed; choose another folder")
    if os.path.lexists(place) and not os.path.isdir(place):
        raise MigrationError(f"{target}: it is no folder")
    if not os.path.isdir(os.path.dirname(place)):
        raise MigrationError(f"{target}: there is no folder {os.path.dirname(target) or place}; make it first")


def is_free(target: str) -> bool:
    """Tell whether a folder is missing or empty."""
    place = os.path.realpath(target)
    return not os.path.lexists(place) or not os.listdir(place)


def check_report(report: str | None, source: str, target: str) -> None:
    """Refuse a report that would lie among the files of an adapter, or has no folder to lie in.

    Raises:
        MigrationError: it would.
    """
    if report is None:
        return
    folder = os.path.dirname(os.path.realpath(report))
    if folder in {os.path.realpath(source), os.path.realpath(target)}:
        raise MigrationError(f"--report {report}: it would lie among the files of an adapter; choose another folder")
    if not os.path.isdir(folder):
        raise MigrationError(f"--report {report}: there is no folder {os.path.dirname(report)}; make it first")
