"""Running the command line on a terminal of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

SETUP = "import sys\nfrom adalint.__main__ import main\n"


def run_on_terminal(*arguments: str, before: str = "", columns: int = 80, **environment: str) -> str:
    """Give all that the terminal gets; `before` is Python that runs first."""
    controller, terminal = pty.openpty()
    script = f"{before}\n{SETUP}main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": str(columns), **environment},
        close_fds=True,
    )
    os.close(terminal)
    told = b""
    while chunk := _read(controller):
        told += chunk
    process.wait()
    os.close(controller)
    return told.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""
