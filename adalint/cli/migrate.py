"""`adalint migrate`: whole files and whole adapters, from one way of doing it to another."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final[Mapping[str, str]] = {
    "adalora-to-lora": "adalint.cli.migrate_adalora_to_lora",
    "lora-to-adalora": "adalint.cli.migrate_lora_to_adalora",
    "loralib-to-peft": "adalint.cli.migrate_loralib_to_peft",
    "ms-swift": "adalint.cli.migrate_ms_swift",
    "peft": "adalint.cli.migrate_peft",
}
"""The module of each kind, which holds its `command`."""


class Kinds(click.Group):
    """The kinds of migrations, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the kinds."""
        return list(KINDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one kind."""
        if cmd_name not in KINDS:
            return None
        command: click.Command = import_module(KINDS[cmd_name]).command
        return command


@click.group(cls=Kinds)
def migrate() -> None:
    """Migrate adapters, and code, from one way to another: tells what would be done; --write does it."""
