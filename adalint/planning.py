"""From a text to what each configuration in it will do, as it stands and after the fixes.

`adalint plan` and `adalint explain` show what is made here. The text is read, judged and mended by the engine; what it
does not tell is assumed only where that is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from adalint.engine import fix_source, judge_sites
from adalint.findings import Safety
from adalint.plan import RIGHT_LOOP, SCHEDULE_FIELDS, Loop, assemble
from adalint.rulebook.judge import MODULES_TRIED
from adalint.schedule import schedule_of
from adalint.schema import Prediction, Stage, derived, fields_of, predict
from adalint.site import Surface
from adalint.targets import release_for
from adalint.trace import Undetermined, trace
from adalint.values import UNKNOWN, Literal, Operation, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adalint.findings import Finding
    from adalint.plan import Plan
    from adalint.schedule import Schedule
    from adalint.settings import Settings
    from adalint.site import Site
    from adalint.source import Source
    from adalint.trace import Trace
    from adalint.values import Expr, Number

SHOWN: Final = (*SCHEDULE_FIELDS, "lora_alpha")
"""The fields that a schedule and its scale are made of."""

EARLY: Final = (Stage.CONSTRUCTION, Stage.WRAP, Stage.FORWARD)
"""Stages before the first step."""


class Origin(StrEnum):
    """Where a number comes from."""

    WRITTEN = "written"
    DEFAULT = "default"
    FRAMEWORK = "framework"
    """What a framework gives PEFT where nothing is written; `Field.text` is its name."""
    ASSUMED = "assumed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Shape:
    """The weight of adapted modules: features in and out, and how many modules have it, None when that is not told."""

    inputs: int
    outputs: int
    count: int | None = None

    @property
    def per_rank(self) -> int:
        """Parameters of one triplet: a row of A, a column of B, and the singular value."""
        return self.inputs + self.outputs + 1


@dataclass(frozen=True, slots=True)
class Told:
    """What the caller knows beyond the text: values of fields and names, the number of modules, their shapes."""

    numbers: Mapping[str, Number]
    modules: int | None = None
    shapes: tuple[Shape, ...] = ()


NOTHING_TOLD: Final = Told({})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the schedule: its value, None when unknown, how it is written, and the row of that."""

    name: str
    value: Any
    origin: Origin
    text: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that the text does not tell: `reason` is `told`, `run length`, `documented loop` or `modules tried`."""

    name: str
    value: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """Trainable parameters of AdaLoRA, over all modules, or of one module when `modules` is None.

    `target` is None when the run fails, so that nothing is saved; `exact` is False when modules of several shapes share
    the ranks that are left.
    """

    start: int
    target: int | None
    modules: int | None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one reading of a configuration will do.

    `modules` is None when nobody tells their number: totals then mean nothing, and averages are shown. `unknown` names
    what would have to be told to draw up the schedule, `undecided` what the run itself depends on. `kept` is what a
    trained adapter holds.
    """

    plan: Plan
    fields: tuple[Field, ...]
    unknown: tuple[str, ...]
    undecided: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    modules: int | None
    scale: float | None
    parameters: Parameters | None
    schedule: Schedule | None
    trace: Trace | None
    failure: Prediction | None
    kept: int | None = None

    def field(self, name: str) -> Field:
        """Give one of the fields."""
        return next(one for one in self.fields if one.name == name)

    @property
    def shown(self) -> tuple[Any, ...]:
        """What makes it look like another one."""
        return ([one.value for one in self.fields], self.schedule, self.trace, self.failure, self.unknown)


@dataclass(frozen=True, slots=True)
class Planned:
    """One configuration: what it will do, what is wrong with it, and what it will do once `command` has mended it.

    Of a configuration that can be read in several ways, there is one for each `reading`, counted from 1. `source` is
    what findings point into: the file, of which the text of the site may be a part.
    """

    source: Source
    site: Site
    before: Outlook
    reading: int = 1
    readings: int = 1
    findings: tuple[Finding, ...] = ()
    after: Outlook | None = None
    command: str | None = None
    mended: tuple[str, ...] = ()
    """Codes of the findings that are gone then."""


def _configurations(source: Source, settings: Settings) -> list[tuple[Site, list[Finding]]]:
    """Give what has a schedule of PEFT: a loop whose configuration stands elsewhere has none, and no search space."""
    judged = judge_sites(source, settings)
    return [
        (site, found)
        for site, found in judged
        if site.surface not in {Surface.ELSEWHERE, Surface.SEARCH}
        and (site.framework is None or site.framework.uses_peft)
    ]


def plan_source(source: Source, settings: Settings, told: Told = NOTHING_TOLD) -> list[Planned]:
    """Draw up the plans of all configurations in a source, in the order of the text.

    Raises:
        ReadError: the text is not what its kind says.
    """
    judged = _configurations(source, settings)
    sides = {
        safety: _configurations(fix_source(source, settings, safety).after, settings)
        for safety in (Safety.SAFE, Safety.UNSAFE)
        if any(finding.fix_for(safety) for _, findings in judged for finding in findings)
    }
    planned = []
    for index, (site, findings) in enumerate(judged):
        readings = [site, *site.others]
        for number, reading in enumerate(readings, start=1):
            before = look_ahead(reading, settings, told)
            one = Planned(source, reading, before, number, len(readings), tuple(findings))
            for safety, mended in sides.items():
                if len(mended) == len(judged) and len(mended[index][0].others) == len(site.others):
                    one = _with_after(one, safety, mended[index], settings, told)
            planned.append(one)
    return planned


def _with_after(
    one: Planned, safety: Safety, mended: tuple[Site, list[Finding]], settings: Settings, told: Told
) -> Planned:
    """Add what comes of the fixes of a safety, where it is something else than before, or than with safer ones."""
    site, findings = mended
    after = look_ahead([site, *site.others][one.reading - 1], settings, told)
    if after.shown == (one.after or one.before).shown:
        return one
    gone = {finding.code for finding in one.findings} - {finding.code for finding in findings}
    command = "adalint fix" if safety is Safety.SAFE else "adalint fix --unsafe-fixes"
    return replace(one, after=after, command=command, mended=tuple(sorted(gone)))


def look_ahead(site: Site, settings: Settings, told: Told = NOTHING_TOLD) -> Outlook:
    """Say what one reading of a configuration will do."""
    release = release_for(site, settings)
    plan, kept = _as_trained(site, assemble(site, release))
    if site.trainings and all(one.reached is False for one in site.trainings):
        plan = replace(plan, loop=Loop(allocates=False))
    is_another_loop = bool(site.trainings) and plan.loop.allocates is UNKNOWN
    plan = replace(plan, modules=plan.modules or told.modules or _counted(told.shapes))
    modules = plan.modules
    wanted = {
        name: Assumption(name, number, "told")
        for name, number in told.numbers.items()
        if name not in {"modules", "loop"}
    }
    if site.run_length and isinstance(site.run_length.expr, Literal) and plan.values["total_step"] is UNKNOWN:
        wanted.setdefault("total_step", Assumption("total_step", site.run_length.expr.value, "run length"))
    wanted["modules"] = Assumption("modules", MODULES_TRIED[-1], "modules tried")
    wanted["loop"] = Assumption("loop", RIGHT_LOOP, "documented loop")
    plan = _make_room(plan, wanted).assume({name: one.value for name, one in wanted.items()})
    failure, traced, undecided = _run(plan, fixed=modules is not None, trained=site.saved)
    if is_another_loop and not (failure and failure.stage in EARLY):
        # The file shows a loop that cannot be read to the end: the documented one is not the one that runs.
        failure, traced, undecided = None, None, ("loop",)
    unknown = tuple(sorted(plan.unknowns()))
    schedule = None
    if not unknown and not (failure and failure.stage is Stage.CONSTRUCTION):
        try:
            schedule = schedule_of(plan)
        except Undetermined as reason:
            undecided = tuple(sorted(reason.names))
    scale = derived(plan.values)["scale"]
    return Outlook(
        plan=plan,
        fields=tuple(field_of(name, site, plan) for name in SHOWN),
        unknown=unknown,
        undecided=undecided,
        assumptions=tuple(wanted[name] for name, _ in plan.assumptions if name != "loop" or not is_another_loop),
        modules=modules,
        scale=float(scale.value) if isinstance(scale, Literal) else None,
        parameters=_parameters(schedule, modules, told.shapes, fails=failure is not None),
        schedule=schedule,
        trace=traced,
        failure=failure,
        kept=kept,
    )


def _as_trained(site: Site, plan: Plan) -> tuple[Plan, int | None]:
    """Of a trained adapter, take the ranks that it holds apart from the schedule that it was trained by."""
    pattern = plan.values["rank_pattern"]
    if not site.saved or not isinstance(pattern, Literal) or not isinstance(pattern.value, dict):
        return plan, None
    masks = [mask for mask in pattern.value.values() if isinstance(mask, list)]
    untrained = replace(plan, values={**plan.values, "rank_pattern": Literal(None)}, modules=len(masks) or None)
    return untrained, sum(bool(kept) for mask in masks for kept in mask) if masks else None


def _counted(shapes: Iterable[Shape]) -> int | None:
    counts = [shape.count for shape in shapes]
    return sum(count for count in counts if count) if counts and None not in counts else None


def _make_room(plan: Plan, wanted: Mapping[str, Assumption]) -> Plan:
    """Let a field that is written as an expression be told as a whole."""
    told = {name: UNKNOWN for name in wanted if isinstance(plan.values.get(name), Operation | Symbol) and name in SHOWN}
    return replace(plan, values={**plan.values, **told})


def _run(plan: Plan, *, fixed: bool, trained: bool) -> tuple[Prediction | None, Trace | None, tuple[str, ...]]:
    """Say where the run fails, how it ends, and what that depends on where it cannot be told."""
    predicted = predict(_for_prediction(plan, trained=trained), plan.release, loop=plan.loop, modules=plan.modules or 1)
    if isinstance(predicted, Prediction) and predicted.stage in EARLY:
        return predicted, None, ()
    counts = (plan.modules,) if fixed else MODULES_TRIED
    try:
        traces = [trace(replace(plan, modules=count)) for count in counts]
    except Undetermined as reason:
        return None, None, tuple(sorted(reason.names))
    if len({(one.exception, one.failing_step, one.first_mask, one.finalised) for one in traces}) > 1:
        return None, None, ("modules",)
    traced = traces[-1]
    if isinstance(predicted, Prediction):
        return predicted, traced, ()
    if traced.exception:
        stage = Stage.FIRST_MASK if traced.first_mask is None else Stage.STEP
        return Prediction(stage, traced.exception, traced.message or "", step=traced.failing_step), traced, ()
    return None, traced, ()


def _for_prediction(plan: Plan, *, trained: bool) -> dict[str, object]:
    """Give what is written, where it is known; what is not is taken to be accepted by PEFT."""
    values: dict[str, object] = dict.fromkeys(plan.strangers)
    for name, expr in plan.values.items():
        if name in SCHEDULE_FIELDS:
            values[name] = expr.value if isinstance(expr, Literal) else UNKNOWN
        elif name in fields_of(plan.release) and isinstance(expr, Literal) and plan.given.get(name) is True:
            values[name] = expr.value
    if trained:  # what it is used for now says nothing of how it was trained
        values.pop("inference_mode", None)
    return values


def field_of(name: str, site: Site, plan: Plan) -> Field:
    """Say what a field of a plan is, and where that comes from."""
    expr: Expr = plan.values.get(name, UNKNOWN)
    written = site.values.get(name)
    row = site.source.position(written.span.start).row if written else None
    text = written.text if written else None
    known = expr.value if isinstance(expr, Literal) else None
    if not isinstance(expr, Literal):
        return Field(name, None, Origin.UNKNOWN, text, row)
    if written is not None and written.expr == expr and written.given is True:
        return Field(name, known, Origin.WRITTEN, text, row)
    if plan.given.get(name) is False and not any(one == name for one, _ in plan.assumptions):
        if site.framework is not None and name in site.framework.defaults:
            return Field(name, known, Origin.FRAMEWORK, site.framework.title)
        return Field(name, known, Origin.DEFAULT)
    return Field(name, known, Origin.ASSUMED, text, row)


def _parameters(
    schedule: Schedule | None, modules: int | None, shapes: tuple[Shape, ...], *, fails: bool
) -> Parameters | None:
    if schedule is None or not shapes:
        return None
    counts = [shape.count or 1 for shape in shapes]
    sizes = {shape.per_rank for shape in shapes}
    size = sum(shape.per_rank * count for shape, count in zip(shapes, counts, strict=True)) / sum(counts)
    exact = len(sizes) == 1
    number = 1 if modules is None else modules
    left = schedule.target_r * number if modules is None else int(schedule.target_r * number)
    return Parameters(round(schedule.init_r * number * size), None if fails else round(left * size), modules, exact)
