"""A schedule as a picture: the ranks in use step by step, before and after the fix.

matplotlib is imported when a picture is asked for. An SVG keeps its words as text and names its curves by `gid`, so
that it can be read aloud, searched and compared.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adalint.report.concise import at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from adalint.planning import Outlook, Planned
    from adalint.schedule import Schedule

SUFFIXES: Final = (".svg", ".png")
MOST_PANELS: Final = 12
MOST_POINTS: Final = 500
"""Steps of a stair that are drawn; a finer one is no finer on paper."""

_STYLE: Final[Any] = {
    "svg.hashsalt": "adalint",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#595959",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True, slots=True)
class _Look:
    """How one side is drawn: two colours that differ for every eye and in grey, and two kinds of line."""

    name: str
    colour: str
    line: str
    marker: str
    width: float


_BEFORE: Final = _Look("before", "#b34700", "--", "v", 2.0)
_AFTER: Final = _Look("after", "#005a8c", "-", "^", 2.4)
_SHADES: Final = ("#f2f2f2", "#ffffff", "#e6e6e6")


def draw(plans: Sequence[Planned], suffix: str) -> bytes:
    """Give the bytes of a picture with one panel for each plan, of which one side at least has a schedule.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=(7.2, 3.4 * len(plans)), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(len(plans), 1, squeeze=False)
        for index, planned in enumerate(plans):
            _panel(panels[index][0], planned, index if len(plans) > 1 else None)
        out = io.BytesIO()
        undated = {"Date": None, "Creator": "adalint"} if suffix == ".svg" else {"Software": "adalint"}
        figure.savefig(out, format=suffix[1:], dpi=150, metadata=undated)
    return out.getvalue()


def _panel(axes: Axes, planned: Planned, number: int | None) -> None:
    from matplotlib.ticker import MaxNLocator

    sides = [
        (look, side) for look, side in ((_BEFORE, planned.before), (_AFTER, planned.after)) if side and side.schedule
    ]
    prefix = "" if number is None else f"panel-{number}-"
    top = max(float(max(side.schedule.init_r, side.schedule.target_r)) for _, side in sides if side.schedule)
    shown = sides[-1][1].schedule
    if shown is not None:
        _shade(axes, shown, prefix)
    for look, side in sides:
        _side(axes, look, side, prefix, alone=planned.after is None)
    axes.set_ylim(0, top * 1.22)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("ranks in use\n(average per module)")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if number is not None:
        axes.set_title(at(planned.site.source.path, planned.site.source.position(planned.site.span.start)), loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, handlelength=3)


def _shade(axes: Axes, schedule: Schedule, prefix: str) -> None:
    for phase, shade in zip(schedule.phases, _SHADES, strict=True):
        if not phase.length:
            continue
        band = axes.axvspan(phase.first, phase.last + 1, color=shade, linewidth=0, zorder=0)
        band.set_gid(f"{prefix}phase-{phase.name}")
        if phase.length * 10 >= schedule.last - schedule.first + 1:
            middle = (phase.first + phase.last + 1) / 2
            place: Any = axes.get_xaxis_transform()
            axes.text(middle, 0.97, phase.name, transform=place, ha="center", va="top", color="#404040", fontsize=9)
    axes.set_xlim(schedule.first, schedule.last + 1)


def _side(axes: Axes, look: _Look, side: Outlook, prefix: str, *, alone: bool) -> None:
    schedule = side.schedule
    if schedule is None:
        return
    crash = side.failure.step if side.failure else None
    steps = _steps(schedule, crash)
    ranks = [schedule.left(step) / schedule.modules for step in steps]
    [curve] = axes.step(
        steps,
        ranks,
        where="post",
        color=look.colour,
        linestyle="-" if alone else look.line,
        linewidth=look.width,
        label="as it is" if look is _BEFORE else "after the fix",
        zorder=3,
    )
    curve.set_gid(f"{prefix}ranks-{look.name}")
    first = None if side.trace is None else side.trace.first_mask
    if first is not None:
        rank = schedule.left(first) / schedule.modules
        label = f"first mask, step {first:,}"
        [mark] = axes.plot([first], [rank], look.marker, color=look.colour, markersize=8, label=label, zorder=4)
        mark.set_gid(f"{prefix}first-mask-{look.name}")
    if crash is not None and side.failure is not None:
        label = f"crash, step {crash:,}:\n{side.failure.exception}"
        [mark] = axes.plot([crash], [ranks[-1]], "X", color=look.colour, markersize=11, label=label, zorder=5)
        mark.set_gid(f"{prefix}crash-{look.name}")
    elif side.failure is not None:
        label = f"{side.failure.exception}\n({side.failure.stage})"
        [mark] = axes.plot([schedule.first], [ranks[0]], "X", color=look.colour, markersize=11, label=label, zorder=5)
        mark.set_gid(f"{prefix}crash-{look.name}")


def _steps(schedule: Schedule, crash: int | None) -> list[int]:
    """Choose the steps at which the stair may turn: its masks, evenly thinned, and the ends."""
    due = schedule.due
    stride = -(-len(due) // MOST_POINTS) or 1
    ends = [schedule.first, schedule.last + 1] + ([] if schedule.forced is None else [schedule.forced])
    steps = sorted({*due[::stride], *([due[-1]] if due else []), *ends})
    return steps if crash is None else [*(step for step in steps if step < crash), max(crash, schedule.first)]
