"""The command line: one module per command, loaded when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from adalint import __version__

COMMANDS: Final = (
    "check",
    "fix",
    "verify",
    "plan",
    "explain",
    "rule",
    "rules",
    "init",
    "baseline",
    "migrate",
    "new",
    "schema",
    "server",
    "completion",
)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for: `--version` loads none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"adalint.cli.{cmd_name}"), cmd_name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="adalint %(version)s")
def adalint() -> None:
    """Find every place where AdaLoRA is configured, say what PEFT will really do there, and mend it.

    Exit codes: 0 nothing to report, 1 findings, 2 the run itself failed.
    """
