"""`adalint rules`: the table of all rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from adalint.cli.options import lang

if TYPE_CHECKING:
    from adalint.rulebook.pages import Rule


@click.command()
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@lang
def rules(output_format: str, language: str) -> None:
    """List all rules: code, name, severity, where each applies, what its fixes do to training."""
    from adalint.cli.inputs import rulebook_here
    from adalint.report.full import display_width
    from adalint.report.words import said

    rows = [_row(rule, language) for rule in rulebook_here().rules.values()]
    if output_format == "json":
        import json

        click.echo(json.dumps(rows, indent=2, ensure_ascii=language == "en"))
        return
    columns = ("code", "name", "severity", "where", "fixes", "summary")
    heads = tuple(said(column, language) for column in columns)
    table = [heads, *(tuple(_cell(row[column], language) for column in columns) for row in rows)]
    widths = [max(display_width(line[index]) for line in table) for index in range(len(columns))]
    for line in table:
        cells = (cell + " " * (width - display_width(cell)) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _row(rule: Rule, language: str) -> dict[str, str | list[str]]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": str(rule.severity),
        "where": list(rule.where),
        "fixes": list(dict.fromkeys(str(fix.effect) for fix in rule.fixes)),
        "summary": rule.summary_zh if language == "zh" else rule.summary,
    }


def _cell(value: str | list[str], language: str) -> str:
    from adalint.report.words import retold

    words = [value] if isinstance(value, str) else value
    return " ".join(retold(word, language) for word in words) or "-"
