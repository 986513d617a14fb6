"""`adalint plan`: draw up the schedule of every configuration."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from adalint.cli.options import shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from adalint.cli.inputs import Input
    from adalint.cli.options import Request
    from adalint.planning import Planned, Shape, Told

LARGEST_MODULES: Final = 1_000_000
LARGEST_WIDTH: Final = 10_000_000
WIDEST: Final = 100

_ASSUMPTION: Final = re.compile(
    r"\s*(?P<name>[^=,\s](?:[^=]*[^=\s])?)\s*=\s*(?P<number>[-+]?[\d._]+(?:[eE][-+]?\d+)?)\s*(?:,|$)"
)


def _assumptions(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> dict[str, int | float]:
    told: dict[str, int | float] = {}
    for text in value:
        at = 0
        while at < len(text):
            match = _ASSUMPTION.match(text, at)
            number = None if match is None else _number(match["number"])
            if match is None or number is None:
                raise click.BadParameter(f"{text!r}: write NAME=NUMBER, such as total_step=3000,init_r=12")
            told[match["name"]] = number
            at = match.end()
    return told


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            number: int | float = kind(text)
        except ValueError:
            continue
        return number if abs(number) < float("inf") else None
    return None


def _shapes(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    shapes = []
    for text in value:
        match = re.fullmatch(r"(\d{1,8})[,x](\d{1,8})(?:\*(\d{1,7}))?", text.replace(" ", ""))
        numbers = tuple(int(number) for number in match.groups() if number) if match else (0,)
        if not all(0 < number <= LARGEST_WIDTH for number in numbers):
            raise click.BadParameter(f"{text!r}: write IN,OUT or IN,OUT*COUNT, such as 4096,11008*32")
        shapes.append(numbers)
    if len({len(numbers) for numbers in shapes}) > 1:
        raise click.BadParameter("give all shapes their COUNT, or none of them")
    if len(shapes) > 1 and len(shapes[0]) == 2:
        raise click.BadParameter("of several shapes, each needs its COUNT: IN,OUT*COUNT")
    return tuple(shapes)


_TOLD = (
    click.option(
        "--assume", "numbers", multiple=True, metavar="NAME=N", callback=_assumptions,
        help="Take this value for a field or name that the text does not tell: total_step=3000,init_r=12.",
    ),
    click.option("--modules", type=click.IntRange(1, LARGEST_MODULES), help="How many modules are adapted."),
    click.option(
        "--shape", "shapes", multiple=True, metavar="IN,OUT[*COUNT]", callback=_shapes,
        help="Features in and out of the adapted modules, and how many have this shape.",
    ),
    click.option(
        "--hidden", type=click.IntRange(1, LARGEST_WIDTH), metavar="N", help="The same as --shape N,N."
    ),
)  # fmt: skip


def telling(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that tell what the text does not."""
    for option in reversed(_TOLD):
        command = option(command)
    return command


def told_by(
    numbers: dict[str, int | float], modules: int | None, shapes: tuple[tuple[int, ...], ...], hidden: int | None
) -> Told:
    """Put together what the options tell.

    Raises:
        Failure: they contradict each other.
    """
    from adalint.cli.failure import Failure
    from adalint.planning import Shape, Told

    if hidden is not None and shapes:
        raise Failure("--hidden N means --shape N,N: give one of them")
    told: tuple[Shape, ...] = tuple(Shape(*one) for one in shapes) or ((Shape(hidden, hidden),) if hidden else ())
    counted = sum(shape.count or 0 for shape in told)
    if modules is not None and counted not in {0, modules}:
        raise Failure(f"--modules {modules} contradicts --shape, which counts {counted}")
    return Told(numbers, modules, told)


@click.command()
@telling
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; docs/plan.md tells its keys.")
@click.option("-o", "--picture", type=click.Path(), metavar="FILE", help="Draw before and after the fix: .svg or .png.")
@shared
def plan(request: Request, as_json: bool, picture: str | None, **told: Any) -> None:
    """Draw up the schedule of every configuration in PATHS (default: here).

    The three phases, the masks, the ranks in use step by step, scale and parameters, how the run ends, and the same
    after the fixes. Nothing is changed. What the text does not tell is named, and assumed only where that is said.
    """
    from adalint.cli.inputs import Inputs
    from adalint.cli.outputs import emit
    from adalint.report.words import said

    as_json = wants_json(request, as_json, "plan")
    known = told_by(**told)
    _check_picture(picture)
    inputs = Inputs(request)
    plans: list[Planned] = []
    failed: list[str] = []
    for text in inputs.texts():
        inputs.guard(text.source.path, lambda text=text: plans.extend(_plan(text, known, failed)))  # type: ignore[misc]
    say_unreadable(inputs.unreadable)
    if plans:
        check_assumptions(plans, known)
    if picture is not None:
        _draw(plans, picture)
    if as_json:
        from adalint.report import plan_json

        emit(request, plan_json.render(plans))
    else:
        from adalint.report import plan_text

        width = min(WIDEST, shutil.get_terminal_size().columns)
        plain = request.output_file is None and not shows_blocks()
        emit(request, plan_text.render(plans, language=request.language, width=width, ascii_only=plain))
    if not plans and not request.quiet:
        click.echo(said("No configuration to plan.", request.language), err=True)
    click.get_current_context().exit(2 if inputs.failed or failed or inputs.unreadable else 0)


def _plan(text: Input, told: Told, failed: list[str]) -> list[Planned]:
    from adalint.cli.failure import say
    from adalint.planning import plan_source
    from adalint.readers.errors import ReadError

    try:
        return plan_source(text.source, text.settings, told)
    except ReadError as error:
        say(f"{text.source.path}: cannot be read: {error}")
        if text.named:
            failed.append(text.source.path)
        return []


def wants_json(request: Request, as_json: bool, command: str) -> bool:
    """Tell whether JSON is asked for, by its own flag or as a format.

    Raises:
        Failure: another format for programs is asked for.
    """
    from adalint.cli.failure import Failure

    if request.output_format not in {"full", "concise", "json"}:
        raise Failure(f"--output-format {request.output_format}: {command} prints text or json")
    return as_json or request.output_format == "json"


def say_unreadable(reports: list[Any]) -> None:
    """Say which files could not be read."""
    from adalint.cli.failure import say

    for report in reports:
        say(f"{report.source.path}: cannot be read: {report.findings[0].message}")


def check_assumptions(plans: list[Planned], told: Told) -> None:
    """Refuse an assumption that nothing asks for: it is a misspelt one, or about something that is written.

    Raises:
        Failure: a name is unknown nowhere.
    """
    from adalint.cli.failure import Failure

    outlooks = [side for one in plans for side in (one.before, one.after) if side is not None]
    used = {assumption.name for outlook in outlooks for assumption in outlook.assumptions}
    for name in told.numbers:
        if name not in used:
            wanted = sorted({unknown for outlook in outlooks for unknown in outlook.unknown})
            also = f"; unknown: {', '.join(wanted)}" if wanted else "; everything that the schedule needs is known"
            raise Failure(f"--assume {name}: nothing of this name is unknown there{also}")


def shows_blocks() -> bool:
    """Tell whether the output's encoding has what the chart is made of."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "▁█─┴✗–×".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _check_picture(path: str | None) -> None:
    """Refuse a picture that cannot be made, before any work is done for it."""
    from adalint.cli.failure import Failure

    if path is None:
        return
    from adalint.report.plot import SUFFIXES

    if os.path.splitext(path)[1].lower() not in SUFFIXES:
        raise Failure(f"-o {path}: a picture ends in {' or '.join(SUFFIXES)}")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise Failure(f"-o {path}: there is no folder {folder}; make it first")


def _draw(plans: list[Planned], path: str) -> None:
    from adalint import files
    from adalint.cli.failure import Failure
    from adalint.report.plot import MOST_PANELS, draw
    from adalint.source import SourceError

    drawn = [one for one in plans if any(side and side.schedule for side in (one.before, one.after))]
    if not drawn:
        reason = "no schedule is known; `adalint plan` names what --assume must tell" if plans else "nothing to draw"
        raise Failure(f"-o {path}: {reason}")
    if len(drawn) > MOST_PANELS:
        raise Failure(f"-o {path}: {len(drawn)} schedules do not fit into one picture; name a file")
    try:
        data = draw(drawn, os.path.splitext(path)[1].lower())
    except ImportError:
        raise Failure(f"-o {path}: pictures need matplotlib; install it with `pip install 'adalint[plot]'`") from None
    try:
        files.put(path, data)
    except SourceError as error:
        raise Failure(f"-o {path}: {error}") from None
