"""A plan for programs; docs/plan.md tells its keys."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from adalint.planning import EARLY
from adalint.report.words import shown_path
from adalint.schema import Stage
from adalint.values import is_number

if TYPE_CHECKING:
    from adalint.planning import Outlook, Planned
    from adalint.schedule import Schedule, Stretch

VERSION: Final = 1


def render(plans: list[Planned]) -> str:
    """Give one document for all plans."""
    import json

    return json.dumps({"version": VERSION, "plans": [entry(one) for one in plans]}, indent=2, allow_nan=False) + "\n"


def entry(planned: Planned) -> dict[str, Any]:
    """Give one plan as JSON has it."""
    source = planned.site.source
    position = source.position(planned.site.span.start)
    return {
        "filename": shown_path(source.path),
        "location": {"row": position.row, "column": position.column},
        "cell": position.cell,
        "reading": planned.reading,
        "readings": planned.readings,
        "peft": planned.before.plan.release,
        "findings": [finding.code for finding in planned.findings],
        "before": _side(planned.before),
        "after": None if planned.after is None else _side(planned.after),
        "command": planned.command,
        "mended": list(planned.mended),
    }


def _side(outlook: Outlook) -> dict[str, Any]:
    parameters = outlook.parameters
    return {
        "fields": {
            one.name: {"value": _value(one.value), "text": one.text, "origin": str(one.origin), "row": one.row}
            for one in outlook.fields
        },
        "unknown": list(outlook.unknown),
        "undecided": list(outlook.undecided),
        "assumptions": [
            {"name": one.name, "value": one.value if is_number(one.value) else None, "reason": one.reason}
            for one in outlook.assumptions
        ],
        "modules": outlook.modules,
        "scale": outlook.scale,
        "parameters": None
        if parameters is None
        else {
            "start": parameters.start,
            "target": parameters.target,
            "modules": parameters.modules,
            "exact": parameters.exact,
        },
        "schedule": None if outlook.schedule is None else _schedule(outlook.schedule),
        "run": _run(outlook),
    }


def _value(value: object) -> object:
    """Give a value that JSON can hold: not a number that is infinite or none, nor what no schedule has."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else None


def _schedule(schedule: Schedule) -> dict[str, Any]:
    stretches, complete = schedule.stretches()
    return {
        "steps": {"first": schedule.first, "last": schedule.last},
        "phases": [
            {
                "name": phase.name,
                "first": phase.first if phase.length else None,
                "last": phase.last if phase.length else None,
                "steps": phase.length,
            }
            for phase in schedule.phases
        ],
        "masks": {
            "count": schedule.masks,
            "cuts": schedule.cuts(),
            "every": schedule.every,
            "first": schedule.first_mask,
            "forced": schedule.forced,
        },
        "ranks": {"start": schedule.init_r, "target": schedule.target_r},
        "budget_modules": schedule.modules,
        "budgets": [_stretch(one, schedule) for one in stretches],
        "budgets_complete": complete,
    }


def _stretch(stretch: Stretch, schedule: Schedule) -> dict[str, Any]:
    average = stretch.budget / schedule.modules
    return {"first": stretch.first, "last": stretch.last, "budget": stretch.budget, "average": average}


def _run(outlook: Outlook) -> dict[str, Any]:
    failure, traced = outlook.failure, outlook.trace
    ends = "finishes"
    if failure is not None:
        ends = "raises" if failure.stage in EARLY else "saving fails" if failure.stage is Stage.SAVE else "crashes"
    elif traced is None:
        ends = "unknown"
    count = outlook.plan.modules or 1
    return {
        "ends": ends,
        "stage": None if failure is None else str(failure.stage),
        "exception": None if failure is None else failure.exception,
        "step": None if failure is None else failure.step,
        "reason": None if failure is None else failure.message,
        "first_mask": None if traced is None else traced.first_mask,
        "calls": None if traced is None else traced.calls,
        "finalised": None if traced is None else traced.finalised,
        "live": None if traced is None else traced.live / count,
        "kept": None if traced is None or traced.kept is None else traced.kept / count,
    }
