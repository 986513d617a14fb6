"""`adalint schema`: JSON Schemas for editors and validators."""

from __future__ import annotations

import click

NAMES = ("adapter", "experiment", "settings", "rules", "dialect")


@click.command()
@click.argument("what", type=click.Choice(NAMES))
@click.option("--target-peft", metavar="RELEASE", help="Describe what this release of PEFT does, such as 0.15.2.")
def schema(what: str, target_peft: str | None) -> None:
    """Print a JSON Schema.

    Of `adapter_config.json`, of experiments in YAML or JSON, of adalint's settings, of a rule page's front matter, or
    of a framework's record in adalint/dialects.
    """
    import json

    from adalint.cli.failure import Failure
    from adalint.releases import NEWEST
    from adalint.schema.documents import SCHEMAS
    from adalint.settings import Flags, SettingsError, resolver

    if target_peft is not None:
        try:
            resolver(Flags(target_peft=target_peft, isolated=True))(".")
        except SettingsError as error:
            raise Failure(str(error)) from None
    # ASCII, so that any shell and any code page can redirect it.
    click.echo(json.dumps(SCHEMAS[what](target_peft or NEWEST), indent=2))
