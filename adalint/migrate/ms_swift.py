"""Moving configurations and launch lines of ms-swift to its present options."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adalint.dialects import FOLDER, load
from adalint.dialects.release import is_gone, pinned_release
from adalint.engine import check_source, fix_source
from adalint.findings import Safety
from adalint.migrate.texts import Migrated, Note
from adalint.source import Kind

if TYPE_CHECKING:
    from adalint.settings import Settings
    from adalint.source import Source

KINDS: Final = frozenset({Kind.YAML, Kind.JSON, Kind.SHELL, Kind.MARKDOWN, Kind.NOTEBOOK})
_RECORD: Final = FOLDER / "ms_swift.toml"
_RENAMED: Final = "ADA603"
_DROPPED: Final = "ADA604"


def to_four(source: Source, settings: Settings) -> Migrated:
    """Rename what ms-swift has renamed up to release 4, and tell what it does not hand on.

    Raises:
        ReadError: the text is not what its kind says.
    """
    said = source.content.replace(b"-", b"_")  # flags may have either
    if source.kind not in KINDS or not any(mark.encode() in said for mark in load(_RECORD).marks):
        return Migrated(source, source)
    pinned = pinned_release(load(_RECORD), source.path)
    if pinned is not None and not is_gone("4.0", pinned):
        # These options are right for the release that is installed here.
        start = source.position(0)
        return Migrated(source, source, left=(Note(start, f"the project pins ms-swift {pinned}: raise the pin first"),))
    usual = replace(settings, ignore=(), extend_select=(), pedantic=False)
    fixed = fix_source(source, replace(usual, select=(_RENAMED,)), Safety.SAFE)
    done = tuple(Note(one.position, one.fix.title) for one in fixed.applied)
    found = check_source(fixed.after, replace(usual, select=(_RENAMED, _DROPPED))).findings
    left = (Note(fixed.after.position(one.span.start), f"{one.code}: {one.message}") for one in found)
    return Migrated(source, fixed.after, done, tuple(left))
