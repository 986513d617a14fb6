"""`adalint completion`: what a shell needs to complete commands, options and rules."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_ADALINT_COMPLETE"
"""What the script sets when it asks adalint for completions; click's name for this program."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes adalint in SHELL.

    \b
    bash, in ~/.bashrc:  eval "$(adalint completion bash)"
    zsh, in ~/.zshrc:    eval "$(adalint completion zsh)"
    fish:                adalint completion fish > ~/.config/fish/completions/adalint.fish
    """  # noqa: D301 \b is click's mark for lines that stay as they are
    from click.shell_completion import get_completion_class

    from adalint.cli import adalint

    script = get_completion_class(shell)
    if script is not None:
        click.echo(script(adalint, {}, "adalint", VARIABLE).source())
