"""How far a long run is: one line on a terminal's stderr, which is gone before anything else is printed."""

from __future__ import annotations

import os
import shutil
import sys
import time

PATIENCE = 1.0
"""Seconds that a run may take before it tells how far it is."""

_INTERVAL = 0.1
_ERASE = "\r\x1b[K"


class Progress:
    """Tells how many of `total` files are done; silent unless stderr is a terminal and the run is a long one."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total = total
        self._next = time.monotonic() + PATIENCE
        self._on = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def tell(self, done: int, path: str) -> None:
        """Say which file is next, at most ten times a second."""
        if not self._on or time.monotonic() < self._next:
            return
        from adalint.report.full import display_width
        from adalint.report.words import harmless

        self._next = time.monotonic() + _INTERVAL
        line = f"{done:,}/{self._total:,} {harmless(path)}"
        room = shutil.get_terminal_size().columns - 1
        while display_width(line) > room:
            line = line[:-1]
        _write(_ERASE + line)
        _Line.shown = True


class _Line:
    """Whether the line stands on the terminal, of which a process has one."""

    shown = False


def erase() -> None:
    """Take the line away; whoever prints on the terminal during a run calls this first."""
    if _Line.shown:
        _write(_ERASE)
        _Line.shown = False


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
