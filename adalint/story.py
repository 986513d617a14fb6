"""The story of one configuration in plain words: what PEFT reads, what happens at which step, what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adalint.planning import EARLY
from adalint.report.plan_text import (
    assumed,
    number,
    origin_of,
    parameters_of,
    run_of,
    scale_of,
    singular,
    steps_of,
    undecided_of,
)
from adalint.report.words import one_line, said
from adalint.schema import Use, fields_of, is_ignored, use_of
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.planning import Outlook, Planned
    from adalint.schedule import Schedule
    from adalint.site import Site


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the story: its title, and one sentence for each line."""

    title: str
    lines: tuple[str, ...]


def tell(planned: Planned, language: str) -> list[Chapter]:
    """Tell the story of a configuration as it stands, in the order in which things happen."""
    outlook = planned.before
    chapters = [
        Chapter(said("What PEFT reads", language), tuple(_read(planned.site, outlook, language))),
        Chapter(said("What happens, step by step", language), tuple(_steps(outlook, language))),
        Chapter(said("How it ends", language), tuple(_end(outlook, language))),
    ]
    taken = [assumed(one, language) for one in outlook.assumptions]
    taken += [
        said("{name}: tell it with --assume '{name_}=N'", language, name=one, name_=one) for one in outlook.unknown
    ]
    return [*chapters, *([Chapter(said("What the text does not tell", language), tuple(taken))] if taken else [])]


def what_happens(outlook: Outlook, language: str) -> list[str]:
    """Tell what happens at which step and how it ends, one sentence for each line."""
    return [*_steps(outlook, language), *_end(outlook, language)]


def _read(site: Site, outlook: Outlook, language: str) -> Iterator[str]:
    for one in outlook.fields:
        yield origin_of(one, language)
    release = outlook.plan.release
    for name in ignored_fields(site, release):
        value = site.values[name]
        words: dict[str, Any] = {
            "field": f"{name}={one_line(value.text)}",
            "row": site.source.position(value.span.start).row,
        }
        yield said("{field} (line {row}) is accepted and never read", language, **words)
    for name in outlook.plan.strangers:
        row = site.source.position(site.values[name].key_span.start).row
        yield said(
            "{name} (line {row}) is no field of AdaLoraConfig in PEFT {release}",
            language,
            name=name,
            row=row,
            release=release,
        )


def ignored_fields(site: Site, release: str) -> list[str]:
    """Name the written fields that PEFT accepts and never reads."""
    return [
        name
        for name, value in site.values.items()
        if name in fields_of(release)
        and value.given is True
        and (
            (use_of(name, release) is Use.IGNORED and not _is_nothing(value.expr))
            or is_ignored(name, value.expr, release) is True
        )
    ]


def _is_nothing(expr: object) -> bool:
    return isinstance(expr, Literal) and not expr.value


def _steps(outlook: Outlook, language: str) -> Iterator[str]:
    failure, schedule = outlook.failure, outlook.schedule
    scale = scale_of(outlook, language)
    if scale is not None:
        yield said("Every update is multiplied by {scale}.", language, scale=scale)
    if failure is not None and failure.stage in EARLY:
        yield said("There is no first step: the run {run}.", language, run=run_of(outlook, language))
        return
    if schedule is None:
        yield said(
            "Which steps these are cannot be told: it depends on {names}.",
            language,
            names=undecided_of(outlook, language),
        )
        return
    parameters = parameters_of(outlook, language)
    if parameters is not None:
        yield said("Trainable parameters of AdaLoRA: {parameters}.", language, parameters=parameters)
    crash = failure.step if failure else None
    for first, sentence in _events(schedule, language):
        if crash is not None and first >= crash:
            break
        yield singular(sentence)
    if failure is not None and crash is not None:
        yield said("Step {step}: PEFT raises {exception}.", language, step=number(crash), exception=failure.exception)
    elif outlook.trace is not None and outlook.trace.kept is None:
        yield said("But the run never comes to a mask: update_and_allocate is not called when it matters.", language)


def _events(schedule: Schedule, language: str) -> Iterator[tuple[int, str]]:
    """Give what the schedule has happen, each with the step at which it begins."""
    initial, budgeting, final = schedule.phases
    start = number(schedule.init_r)
    if initial.length:
        sentence = "Steps {steps}: all {rank} ranks of every module are trained, and their importance is measured."
        yield initial.first, said(sentence, language, steps=steps_of(initial), rank=start)
    due = schedule.due
    if budgeting.length:
        words: dict[str, Any] = {"steps": steps_of(budgeting), "target": number(schedule.target_r), "rank": start}
        sentence = "Steps {steps}: the budget goes from {rank} to {target} ranks in a module on average, fast at first."
        yield budgeting.first, said(sentence, language, **words)
    if due:
        yield (
            due[0],
            said(
                "Step {step}: the first mask; it leaves {rank} ranks on average.",
                language,
                step=number(due[0]),
                rank=_average(schedule, due[0]),
            ),
        )
    if len(due) > 1:
        words = {"number": number(len(due) - 1), "every": number(schedule.every), "step": number(due[-1])}
        sentence = "{number} more masks follow, one every {every} steps, up to step {step}, which leaves {rank}."
        yield due[0] + 1, said(sentence, language, rank=_average(schedule, due[-1]), **words)
    if schedule.forced is not None:
        sentence = "Step {step}: the forced mask at total_step - tfinal; it leaves {rank}, and the scores are cleared."
        yield (
            schedule.forced,
            said(sentence, language, step=number(schedule.forced), rank=_average(schedule, schedule.forced)),
        )
    elif not final.length:
        sentence = "The last step is {step}, so total_step - tfinal = {end} is never reached and no mask is forced."
        yield schedule.last, said(sentence, language, step=number(schedule.last), end=number(schedule.end))
    rest = schedule.last if schedule.forced is None else schedule.forced + 1
    if final.length and rest <= schedule.last:
        sentence = "Steps {steps}: the same ranks are masked again after every step; the others are trained on."
        ends = (number(rest), number(schedule.last))
        yield rest, said(sentence, language, steps="–".join(dict.fromkeys(ends)))


def _average(schedule: Schedule, step: int) -> str:
    return number(float(schedule.left(step) / schedule.modules))


def _end(outlook: Outlook, language: str) -> Iterator[str]:
    yield said("The run {run}.", language, run=run_of(outlook, language))
    if outlook.failure is None and outlook.trace is not None and outlook.kept is None:
        yield said(
            "Masked ranks are zeros in memory, which holds as many parameters as at the start; saving leaves them out.",
            language,
        )
