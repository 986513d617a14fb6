"""`adalint rules`: the table of all rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from adalint.rulebook.pages import Rule


@click.command()
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def rules(output_format: str) -> None:
    """List all rules: code, name, severity, where each applies, what its fixes do to training."""
    from adalint.rulebook.pages import load

    rows = [_row(rule) for rule in load().rules.values()]
    if output_format == "json":
        import json

        click.echo(json.dumps(rows, indent=2))
        return
    columns = ("code", "name", "severity", "where", "fixes", "summary")
    table = [columns, *(tuple(_cell(row[column]) for column in columns) for row in rows)]
    widths = [max(len(line[index]) for line in table) for index in range(len(columns))]
    for line in table:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _row(rule: Rule) -> dict[str, str | list[str]]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": str(rule.severity),
        "where": list(rule.where),
        "fixes": list(dict.fromkeys(str(fix.effect) for fix in rule.fixes)),
        "summary": rule.summary,
    }


def _cell(value: str | list[str]) -> str:
    return value if isinstance(value, str) else " ".join(value) or "-"
