"""`adalint new`: a script or configuration to start from."""

from __future__ import annotations

import os

import click

from adalint.starters import STYLES, TASKS


@click.command()
@click.argument("style", type=click.Choice(list(STYLES)), default="manual")
@click.option("--steps", type=int, required=True, help="Optimizer steps of the whole run.")
@click.option("--target-r", type=int, default=8, show_default=True, help="The rank that is left on average.")
@click.option("--init-r", type=int, help="The rank to start from; one and a half times --target-r by default.")
@click.option("--task", type=click.Choice(list(TASKS)), default="CAUSAL_LM", show_default=True)
@click.option("--model", default="gpt2", show_default=True, help="A model's name on the hub, or its folder.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this new file instead of printing.")
def new(style: str, steps: int, target_r: int, init_r: int | None, task: str, model: str, output: str | None) -> None:
    """Print a right AdaLoRA script in a STYLE, or a configuration alone.

    manual, accelerate, trainer and lightning are whole scripts that train, prune to --target-r in --steps optimizer
    steps and save; only the data is to be put in. config, yaml and json are configurations.
    """
    from adalint.cli.failure import Failure
    from adalint.starters import StarterError, schedule_for, starter

    if not model.strip() or any(one in model for one in '"\\\n\r'):
        raise Failure(f"--model {model!r}: this is no name of a model that a script could hold")
    try:
        text = starter(style, schedule_for(steps, target_r, init_r), task=task, model=model)
    except StarterError as error:
        raise Failure(str(error)) from None
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with open(output, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Failure(f"{output}: it is there already, and is left as it is") from None
    except OSError as error:
        raise Failure(f"{output}: cannot be written: {error.strerror}") from None
    click.echo(f"{os.fspath(output)} is written.", err=True)
