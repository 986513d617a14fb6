"""`adalint migrate adalora-to-lora`: a trained AdaLoRA adapter to a plain LoRA adapter."""

from __future__ import annotations

import errno
import os
import re
import sys
from typing import TYPE_CHECKING, Final

import click

from adalint.cli.options import lang

if TYPE_CHECKING:
    from adalint.migrate.adalora_to_lora import Conversion
    from adalint.report.migration import Outcome

LARGEST_KERNEL: Final = 1024
STDOUT: Final = "-"


def _kernels(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[tuple[str, tuple[int, int]], ...]:
    told = []
    for text in value:
        match = re.fullmatch(r"(.+)=(\d{1,4})x(\d{1,4})", text, re.DOTALL)
        sides = (int(match[2]), int(match[3])) if match else (0, 0)
        if match is None or not all(0 < side <= LARGEST_KERNEL for side in sides):
            raise click.BadParameter(f"{text!r}: write NAME=HxW, such as conv1=3x3 or *.conv=1x1")
        told.append((match[1], sides))
    return tuple(told)


@click.command("adalora-to-lora")
@click.argument("folder", metavar="DIR")
@click.option("-o", "--output", required=True, metavar="OUT", help="The folder of the LoRA adapter; new, or empty.")
@click.option("--write", is_flag=True, help="Write it, verify it, and only then give it its name.")
@click.option(
    "--layout",
    type=click.Choice(["uniform", "pattern"]),
    default="uniform",
    help="uniform: all modules with the largest rank, for any reader. pattern: each with its own, for PEFT alone.",
)
@click.option(
    "--scale",
    type=click.Choice(["loaded", "trained"]),
    default="loaded",
    help="Where lora_alpha is not above 0: the scale that PEFT loads with, or the one that it trained with.",
)
@click.option(
    "--kernel",
    "kernels",
    multiple=True,
    metavar="NAME=HxW",
    callback=_kernels,
    help="NAME is a Conv2d with this kernel: a module's path, its end, or a pattern.",
)
@click.option("--base", metavar="DIR", help="The base model's folder: headers there tell which modules are Conv2d.")
@click.option("--report", metavar="FILE", help="Write the whole report as JSON; `-` prints it, and nothing else.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing when all went well.")
@lang
def command(
    folder: str,
    output: str,
    write: bool,
    layout: str,
    scale: str,
    kernels: tuple[tuple[str, tuple[int, int]], ...],
    base: str | None,
    report: str | None,
    quiet: bool,
    language: str,
) -> None:
    """Turn the AdaLoRA adapter in DIR into a plain LoRA adapter that gives the same outputs.

    For what serves LoRA and knows no AdaLoRA. Singular values and scale go into A; DIR is never changed. A pickle is
    never opened: the weights are safetensors. Needs NumPy (extra `migrate`).

    Exit codes: 0 written, or there already; 1 it would be written; 2 it cannot be, and nothing was written.
    """
    from adalint.cli.failure import Failure
    from adalint.migrate import MigrationError
    from adalint.migrate.adalora_to_lora import Layout, Scale, plan_conversion
    from adalint.migrate.output_places import check_report, check_target
    from adalint.report import migration

    try:
        check_target(folder, output)
        if report != STDOUT:
            check_report(report, folder, output)
        conversion = plan_conversion(folder, layout=Layout(layout), scale=Scale(scale), kernels=kernels, base=base)
    except MigrationError as error:
        raise Failure(f"{folder}: {error}") from None
    outcome = _carry_out(conversion, output, write=write)
    document = migration.document(conversion, outcome)
    if report == STDOUT:
        click.echo(document, nl=False)
    elif report is not None:
        _put_report(report, document)
    if not quiet and report != STDOUT:
        click.echo(migration.render(conversion, outcome, language), nl=False)
    click.get_current_context().exit(int(outcome.state == "planned"))


def _carry_out(conversion: Conversion, output: str, *, write: bool) -> Outcome:
    """Write the result where it is asked for and not there yet.

    Raises:
        Failure: NumPy is missing, the source is broken, something else is there, or the system refuses.
    """
    from adalint.cli.failure import Failure
    from adalint.migrate import MigrationError
    from adalint.migrate.output_places import is_free
    from adalint.report.migration import Outcome

    if not write and is_free(output):
        return Outcome("planned", output)
    if "numpy" not in sys.modules:
        # Products of thin matrices are over before threads have begun.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from adalint.migrate import output_folder
        from adalint.migrate.probes import Probed, probe
    except ImportError:
        remedy = "install it with `pip install 'adalint[migrate]'`"
        raise Failure(f"migrate adalora-to-lora needs numpy; {remedy}") from None
    probed: list[Probed] = []
    try:
        if not is_free(output):
            output_folder.check_written(conversion, output)
            return Outcome("unchanged", output)
        sizes = output_folder.write(conversion, output, lambda place: probed.extend(probe(conversion, place)))
    except MigrationError as error:
        raise Failure(f"{conversion.folder}: {error}") from None
    except OSError as error:
        raise Failure(f"{output}: {_refusal(error)}; nothing was written") from None
    return Outcome("written", output, tuple(probed), sizes)


def _refusal(error: OSError) -> str:
    return "there is no space left" if error.errno == errno.ENOSPC else f"cannot be written: {error.strerror}"


def _put_report(path: str, text: str) -> None:
    from adalint import files
    from adalint.cli.failure import Failure
    from adalint.source import SourceError

    try:
        files.put(path, text.encode())
    except SourceError as error:
        raise Failure(f"--report {path}: {error}") from None
