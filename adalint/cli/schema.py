"""`adalint schema`: JSON Schemas for editors and validators."""

from __future__ import annotations

import click

NAMES = ("adapter", "settings", "rules")


@click.command()
@click.argument("what", type=click.Choice(NAMES))
def schema(what: str) -> None:
    """Print a JSON Schema: of `adapter_config.json`, of adalint's settings, or of a rule page's front matter."""
    import json

    from adalint.schema.documents import SCHEMAS

    click.echo(json.dumps(SCHEMAS[what](), indent=2))
