"""`adalint verify`: say what each fix does to training, by running both sides."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from adalint.cli.options import shared

if TYPE_CHECKING:
    from adalint.cli.inputs import Input
    from adalint.cli.options import Request
    from adalint.source import Source
    from adalint.verify import Bench, Proof

MOST_STEPS = 100_000


@click.command()
@click.option("--with-peft", is_flag=True, help="Run both sides on the PEFT that is installed here, with torch.")
@click.option(
    "--steps",
    type=click.IntRange(1, MOST_STEPS),
    help="Run at most so many optimizer steps of each side; longer runs are divided.",
)
@shared
def verify(request: Request, with_peft: bool, steps: int | None) -> None:
    """Compare training before and after the best fix of every finding in PATHS (default: here).

    Both sides are traced, and run on a small model: in NumPy, or with --with-peft in PEFT itself. The verdict is one
    of: identical; crashes at step k, finishes now; raises before the first step, runs now; differs; cannot say.
    Nothing is changed, and nothing of PATHS is run. Exit 1 when a safe fix is not what it claims to be.
    """
    from adalint.cli.failure import Failure
    from adalint.cli.inputs import Inputs
    from adalint.cli.outputs import emit
    from adalint.cli.plan import say_unreadable
    from adalint.report import proofs as report
    from adalint.report.sparkline import shows_blocks

    if request.output_format not in {"full", "concise", "json"}:
        raise Failure(f"--output-format {request.output_format}: verify prints full, concise or json")
    bench = bench_for(with_peft=with_peft, steps=steps)
    inputs = Inputs(request)
    proofs: list[tuple[Source, Proof]] = []
    unread: list[str] = []
    for text in inputs.texts():
        inputs.guard(text.source.path, lambda text=text: proofs.extend(_prove(text, bench, unread)))  # type: ignore[misc]
    say_unreadable(inputs.unreadable)
    language = request.language
    if request.output_format == "json":
        emit(request, report.render_json(proofs, bench))
    elif request.output_format == "concise":
        emit(request, report.render_concise(proofs, language))
    else:
        plain = request.output_file is None and not shows_blocks(getattr(sys.stdout, "encoding", None))
        emit(request, report.render(proofs, bench, language, plain=plain))
    found = [proof for _, proof in proofs]
    if not request.quiet:
        _summarise(found, bench, language)
    broken = any(proof.breaks_a_promise or proof.disagreement is not None for proof in found)
    failed = inputs.failed or unread or inputs.unreadable
    click.get_current_context().exit(2 if failed else int(broken and not request.exit_zero))


def bench_for(*, with_peft: bool = False, steps: int | None = None) -> Bench | None:
    """Give what plans are run on, None where NumPy is missing.

    Raises:
        Failure: PEFT is asked for and cannot be imported.
    """
    from adalint.verify import reference_bench

    if not with_peft:
        if "numpy" not in sys.modules:
            # Starting the threads of BLAS takes longer than all that they would be given to do.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        return reference_bench(steps)
    from adalint.cli.failure import Failure
    from adalint.peft_run import Missing, installed

    try:
        installed()
    except Missing as missing:
        raise Failure(f"--with-peft: {missing}") from None
    from adalint.verify.tensors import on_peft

    return on_peft(steps)


def _prove(text: Input, bench: Bench | None, unread: list[str]) -> list[tuple[Source, Proof]]:
    """Prove the fixes of one text; what cannot be read is said, and remembered when it was asked for by name."""
    from adalint.cli.failure import say
    from adalint.engine import judge_sites
    from adalint.readers.errors import ReadError
    from adalint.verify import verify_source

    try:
        judge_sites(text.source, text.settings)
    except ReadError as error:
        say(f"{text.source.path}: cannot be read: {error}")
        if text.named:
            unread.append(text.source.path)
        return []
    return [(text.source, proof) for proof in verify_source(text.source, text.settings, bench)]


def _summarise(proofs: list[Proof], bench: Bench | None, language: str) -> None:
    """Say in one line on stderr what was checked, and on what; then what the reader should know of that."""
    from adalint.report.words import counted, said

    broken = sum(proof.breaks_a_promise for proof in proofs)
    fixes = counted(len(proofs) - broken, "fix", language)
    if not proofs:
        told = said("No fix to verify.", language)
    elif bench is None:
        told = said("{fixes} checked against the trace.", language, fixes=fixes)
    elif bench.release is None:
        told = said("{fixes} checked on the reference adapter.", language, fixes=fixes)
    else:
        told = said("{fixes} checked on PEFT {release}.", language, fixes=fixes, release=bench.release)
    click.echo(told, err=True)
    if broken:
        click.echo(said("{number} not as claimed.", language, number=broken), err=True)
    if proofs and bench is None:
        remedy = "Without NumPy the trace alone answers; to run both sides: pip install 'adalint[verify]'"
        click.echo(said(remedy, language), err=True)
    if bench is not None and bench.release is not None:
        plans = [proof.fix.before for proof in proofs]
        for target in sorted({plan.release for plan in plans if plan is not None} - {bench.release}):
            warning = "PEFT {release} was run, but the target is PEFT {target}, which may do something else."
            click.echo(said(warning, language, release=bench.release, target=target), err=True)
