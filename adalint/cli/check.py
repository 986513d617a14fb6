"""`adalint check`: report findings, change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from adalint.cli.options import shared

if TYPE_CHECKING:
    from adalint.cli.inputs import Input
    from adalint.cli.options import Request
    from adalint.findings import Report


@click.command()
@shared
def check(request: Request) -> None:
    """Report what PEFT will not do as it is written, in PATHS (default: here).

    Files and folders are read, `-` is standard input. Nothing is changed.
    """
    from adalint.cli.inputs import Inputs
    from adalint.cli.outputs import in_order, show, summarise

    inputs = Inputs(request)
    reports: list[Report] = []
    for text in inputs.texts():
        inputs.guard(text.source.path, lambda text=text: reports.append(_judge(text)))  # type: ignore[misc]
    reports = in_order([*reports, *inputs.unreadable])
    show(request, reports)
    summarise(inputs, reports)
    found = any(report.findings for report in reports) and not request.exit_zero
    click.get_current_context().exit(2 if inputs.failed else int(found))


def _judge(text: Input) -> Report:
    from adalint.engine import check_source  # the first text that mentions AdaLoRA pays for this, others do not

    return text.weighed(check_source(text.source, text.settings))
