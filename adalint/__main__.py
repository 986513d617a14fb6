"""The `adalint` command: runs the command line and turns whatever happens into an exit code."""

from __future__ import annotations

import gc
import io
import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run adalint and exit: 0 nothing to report, 1 findings, 2 the run itself failed, 130 interrupted."""
    try:
        code = _run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def _run() -> int:
    import click

    from adalint.cli import adalint
    from adalint.cli.failure import FAILED, apologise, say

    _settle_streams()
    # A syntax tree is many objects that live and hardly a cycle: to look for cycles often is in vain.
    gc.set_threshold(100_000, 20, 50)
    try:
        return adalint.main(prog_name="adalint", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except OSError as error:
        say(f"cannot go on: {error.strerror or error}")
        return FAILED
    except Exception as error:  # noqa: BLE001 a traceback helps nobody who runs a linter
        apologise("this run", error)
        return FAILED


def _settle_streams() -> None:
    """Make the standard streams usable: one that the caller closed is empty, and takes what is written to it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 open for as long as we run
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
