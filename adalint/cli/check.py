"""`adalint check`: report findings, change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from adalint.cli.options import narrowed, shared

if TYPE_CHECKING:
    from adalint.cli.inputs import Input
    from adalint.cli.options import Request
    from adalint.findings import Report


@click.command()
@click.option("--show-settings", is_flag=True, help="Print what is settled for PATHS, and why each rule is on or off.")
@click.option("--add-ignore", is_flag=True, help="Silence all findings by comments, and change nothing else.")
@click.option("--show-files", is_flag=True, help="Name the files that would be read, and check none.")
@click.option("--adapter", "adapters", multiple=True, metavar="DIR", help="Print the health card of a saved adapter.")
@click.option(
    "--json", "as_json", is_flag=True, help="Of --adapter: print one JSON document; docs/adapters.md tells it."
)
@click.option("--statistics", is_flag=True, help="Show how often each rule fires instead of where.")
@shared
@narrowed
def check(
    request: Request,
    show_settings: bool,
    add_ignore: bool,
    show_files: bool,
    adapters: tuple[str, ...],
    as_json: bool,
    statistics: bool,
) -> None:
    """Report what PEFT will not do as it is written, in PATHS (default: here).

    Files and folders are read, `-` is standard input. Nothing is changed but for `--add-ignore`.
    """
    if show_settings:
        from adalint.cli.show_settings import show_settings_of

        show_settings_of(request)
        return
    if adapters or as_json:
        from adalint.cli.adapter_cards import show_cards_of

        show_cards_of(request, adapters, as_json=as_json)
        return
    if add_ignore:
        from adalint.cli.add_ignore import ignore_findings

        ignore_findings(request)
        return
    from adalint.cli.inputs import Inputs
    from adalint.cli.outputs import count, in_order, name_files, say_stale, show, summarise

    inputs = Inputs(request)
    if show_files:
        name_files(request, inputs.names())
        return
    reports: list[Report] = []
    for text in inputs.texts():
        inputs.guard(text.source.path, lambda text=text: reports.append(_judge(text)))  # type: ignore[misc]
    reports = in_order([*reports, *inputs.unreadable])
    if statistics:
        count(request, reports)
    else:
        show(request, reports, failed=inputs.failed)
    summarise(inputs, reports)
    say_stale(inputs, reports)
    found = any(report.findings for report in reports) and not request.exit_zero
    click.get_current_context().exit(2 if inputs.failed else int(found))


def _judge(text: Input) -> Report:
    from adalint.engine import check_source  # the first text that mentions AdaLoRA pays for this, others do not

    return text.weighed(check_source(text.source, text.settings))
