"""`adalint rule`: the page of one rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from adalint.cli.options import complete_rules, lang

if TYPE_CHECKING:
    from adalint.rulebook.pages import Rule
    from adalint.rulebook.templates import Template


@click.command()
@click.argument("rule", metavar="RULE", shell_complete=complete_rules)
@lang
def rule(rule: str, language: str) -> None:
    """Show the page of one RULE, given by its name or code."""
    from adalint.cli.failure import Failure
    from adalint.cli.inputs import rulebook_here
    from adalint.report.words import said
    from adalint.settings import nearest_word

    book = rulebook_here()
    found = book.find(rule)
    if found is None:
        near = nearest_word(rule, [handle for one in book.rules.values() for handle in (one.code, one.name)])
        raise Failure(f"no rule is called {rule!r}{near}; `adalint rules` lists them")
    heading = f"{found.code} {found.name} ({said(str(found.severity), language)})"
    click.secho(heading, bold=True)
    click.echo(f"{found.summary_zh if language == 'zh' else found.summary}\n")
    if language == "zh":
        _show_chinese(found)
    for line in found.body.strip().splitlines():
        click.secho(_heading(line, language), bold=True) if line.startswith("#") else click.echo(line)


def _show_chinese(rule: Rule) -> None:
    """Show what a page says in Chinese: its messages and its fixes."""
    from adalint.report.words import EFFECTS, said

    click.secho(f"## {said('What it says', 'zh')}\n", bold=True)
    for case in rule.cases:
        click.echo(f"- {_text(case.message_zh[0])}")
    if rule.fixes:
        click.secho(f"\n## {said('Its fixes', 'zh')}\n", bold=True)
        for fix in rule.fixes:
            click.echo(f"- {_text(fix.title_zh)}（{said(EFFECTS[fix.effect], 'zh')}）")
    click.echo(f"\n{said('The page itself is in English.', 'zh')}\n")


def _text(template: Template) -> str:
    return "".join(part if isinstance(part, str) else f"{{{part.text}}}" for part in template.parts)


def _heading(line: str, language: str) -> str:
    from adalint.report.words import retold

    marks, _, words = line.partition(" ")
    return f"{marks} {retold(words, language)}"
