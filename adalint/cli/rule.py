"""`adalint rule`: the page of one rule."""

from __future__ import annotations

import click


@click.command()
@click.argument("rule", metavar="RULE")
def rule(rule: str) -> None:
    """Show the page of one RULE, given by its name or code."""
    from adalint.cli.failure import Failure
    from adalint.rulebook.pages import load
    from adalint.settings import nearest_word

    book = load()
    found = book.find(rule)
    if found is None:
        near = nearest_word(rule, [handle for one in book.rules.values() for handle in (one.code, one.name)])
        raise Failure(f"no rule is called {rule!r}{near}; `adalint rules` lists them")
    heading = f"{found.code} {found.name} ({found.severity})"
    click.secho(heading, bold=True)
    click.echo(f"{found.summary}\n")
    for line in found.body.strip().splitlines():
        click.secho(line, bold=True) if line.startswith("#") else click.echo(line)
