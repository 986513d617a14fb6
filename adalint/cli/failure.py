"""How a run says that it failed: one line on stderr, exit 2."""

from __future__ import annotations

from typing import IO, Any

import click

FAILED = 2


class Failure(click.ClickException):
    """The run itself failed, by what the caller asked for or by a mistake of adalint's own."""

    exit_code = FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the reason."""
        say(self.format_message())


def say(message: str) -> None:
    """Print one line on stderr."""
    from adalint.cli.progress import erase
    from adalint.report.words import one_line

    erase()
    click.echo(f"adalint: {one_line(message)}", err=True)


def apologise(where: str, error: BaseException) -> None:
    """Say that adalint itself is at fault."""
    say(
        f"{where}: internal error ({type(error).__name__}: {error}). Sorry, this is a mistake in adalint; "
        "nothing was written there. Please report it with this line."
    )
