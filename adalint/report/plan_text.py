"""A plan for people: one line for each thing that matters, and the chart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from adalint.planning import EARLY, Origin
from adalint.report.chart import PLAIN, chart
from adalint.report.concise import at
from adalint.report.full import display_width
from adalint.report.words import one_line, said
from adalint.rulebook.judge import STAGES
from adalint.schema import Stage
from adalint.trace import LARGEST
from adalint.values import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.planning import Assumption, Field, Outlook, Planned
    from adalint.schedule import Phase, Schedule
    from adalint.trace import Trace

_INDENT: Final = "  "
_LABELS: Final = ("ranks", "scale", "parameters", "initial", "budgeting", "final", "masks", "run", "values", "unknown")

REASONS: Final = {
    "RuntimeError": "the mask must take away at least one rank, and at most all",
    "ZeroDivisionError": "no step can be divided by deltaT=0",
    "AttributeError": "no mask was made up to total_step - tfinal, so there is no rank_pattern to apply",
    "KeyError": "no scores were collected since the last reset when the forced mask is made",
    "IndexError": "init_r=0 leaves nothing to mask",
    "TypeError": "deltaT is no number, or there are no gradients when update_and_allocate is called",
}
"""Why the allocator raises, by the class of the exception."""


def render(plans: list[Planned], *, language: str = "en", width: int = 80, ascii_only: bool = False) -> str:
    """Give a paragraph with a chart for each plan."""
    lines = [line for one in plans for line in (*_paragraph(one, language, width, ascii_only), "")]
    text = "".join(f"{line}\n" for line in lines)
    return text.translate(PLAIN) if ascii_only else text


def _paragraph(planned: Planned, language: str, width: int, ascii_only: bool) -> Iterator[str]:
    yield heading(planned, language)
    rows = list(_rows(planned.before, language))
    yield from _side(planned.before, rows, language, width, ascii_only)
    if planned.after is not None:
        mended = ", ".join(planned.mended)
        words: dict[str, Any] = {"command": planned.command, "mended": mended}
        if mended:
            yield said("  after `{command}` ({mended}):", language, **words)
        else:
            yield said("  after `{command}`:", language, command=planned.command)
        changed = [row for row in _rows(planned.after, language) if row not in rows]
        yield from _side(planned.after, changed, language, width, ascii_only)


def heading(planned: Planned, language: str) -> str:
    """Name the place, the release, and which reading it is where there are several."""
    place = at(planned.site.source.path, planned.site.source.position(planned.site.span.start))
    release = planned.before.plan.release
    if planned.readings > 1:
        words: dict[str, Any] = {"number": planned.reading, "count": planned.readings}
        sentence = "{place}: AdaLoRA in PEFT {release}, reading {number} of {count}"
        return said(sentence, language, place=place, release=release, **words)
    return said("{place}: AdaLoRA in PEFT {release}", language, place=place, release=release)


def _side(outlook: Outlook, rows: list[tuple[str, str]], language: str, width: int, ascii_only: bool) -> Iterator[str]:
    names = [said(name, language) for name in _LABELS]
    room = max(map(display_width, names))
    for label, sentence in rows:
        name = said(label, language)
        yield f"{_INDENT}{name}{' ' * (room - display_width(name))}  {one_line(sentence)}"
    if outlook.schedule is not None:
        step = outlook.failure.step if outlook.failure else None
        lines = chart(outlook.schedule, width - len(_INDENT), failing_step=step, ascii_only=ascii_only)
        yield from (f"{_INDENT}{line}".rstrip() for line in lines)


def _rows(outlook: Outlook, language: str) -> Iterator[tuple[str, str]]:
    start, target = outlook.field("init_r").value, outlook.field("target_r").value
    if start is not None and target is not None:
        sentence = "{start} in every module at the start, {target} on average at the target"
        yield "ranks", said(sentence, language, start=number(start), target=number(target))
    if (scale := scale_of(outlook, language)) is not None:
        yield "scale", scale
    if (parameters := parameters_of(outlook, language)) is not None:
        yield "parameters", parameters
    if outlook.schedule is not None:
        yield from ((label, singular(sentence)) for label, sentence in _phases(outlook, outlook.schedule, language))
    yield "run", run_of(outlook, language)
    yield "values", (", " if language == "en" else "，").join(origin_of(one, language) for one in outlook.fields)
    for assumption in outlook.assumptions:
        yield "assumed", assumed(assumption, language)
    for name in outlook.unknown:
        yield "unknown", said("{name}: tell it with --assume '{name_}=N'", language, name=name, name_=name)


def _phases(outlook: Outlook, schedule: Schedule, language: str) -> Iterator[tuple[str, str]]:
    initial, budgeting, final = schedule.phases
    if initial.length:
        yield "initial", said("steps {steps}: all ranks are in use", language, steps=steps_of(initial))
    if budgeting.length and schedule.due:
        sentence = "steps {steps}: a mask at every multiple of {every}, the first at step {step}"
        if schedule.every == 1:
            sentence = "steps {steps}: a mask at every step, the first at step {step}"
        words: dict[str, Any] = {"every": number(schedule.every), "step": number(schedule.due[0])}
        yield "budgeting", said(sentence, language, steps=steps_of(budgeting), **words)
    elif budgeting.length:
        yield "budgeting", said("steps {steps}: no mask is due", language, steps=steps_of(budgeting))
    if final.length and schedule.forced is not None:
        sentence = "steps {steps}: the forced mask at step {step}, the same ranks from there on"
        yield "final", said(sentence, language, steps=steps_of(final), step=number(schedule.forced))
    elif final.length:
        yield "final", said("steps {steps}: no mask of its own", language, steps=steps_of(final))
    else:
        yield "final", said("never reached: the last step is {step}", language, step=number(schedule.last))
    # With more modules, more masks take something away.
    cuts = None if outlook.modules is None else schedule.cuts()
    if cuts is None:
        yield "masks", said("{number} in all", language, number=number(schedule.masks))
    else:
        words = {"number": number(schedule.masks), "count": number(cuts)}
        yield "masks", said("{number} in all, of which {count} take ranks away", language, **words)


def scale_of(outlook: Outlook, language: str) -> str | None:
    """Say by what the update is multiplied; None when that is unknown."""
    alpha, rank = outlook.field("lora_alpha").value, outlook.field("init_r").value
    if outlook.scale is None or alpha is None:
        return None
    if isinstance(alpha, int | float) and alpha <= 0:
        sentence = "1, for lora_alpha={alpha} is not positive; once saved and loaded it is rank / init_r"
        return said(sentence, language, alpha=number(alpha))
    words = {"alpha": number(alpha), "rank": number(rank), "scale": number(outlook.scale)}
    return said("lora_alpha / init_r = {alpha} / {rank} = {scale}, whatever is pruned", language, **words)


def parameters_of(outlook: Outlook, language: str) -> str | None:
    """Say how many parameters AdaLoRA trains at the start, and how many are left at the target."""
    if outlook.schedule is None:
        return None
    parameters, fails = outlook.parameters, outlook.failure is not None
    if parameters is None:
        ranks = {"start": number(outlook.schedule.init_r), "target": number(outlook.schedule.target_r)}
        if fails:
            return said("{start} × (in + out + 1) in every module at the start", language, start=ranks["start"])
        sentence = (
            "{start} × (in + out + 1) in every module at the start, {target} × (in + out + 1) on average at the target"
        )
        return said(sentence, language, **ranks)
    words = {"start": number(parameters.start), "target": number(parameters.target)}
    if parameters.modules is None:
        if fails:
            return said("{start} in every module at the start", language, start=words["start"])
        return said("{start} in every module at the start, {target} on average to be saved", language, **words)
    if fails:
        return said("{start} in all at the start", language, start=words["start"])
    if not parameters.exact:
        sentence = "{start} in all at the start, about {target} to be saved (which shapes keep ranks is open)"
        return said(sentence, language, **words)
    return said("{start} in all at the start, {target} to be saved at the target", language, **words)


def run_of(outlook: Outlook, language: str) -> str:
    """Say in one sentence how the run ends."""
    failure, traced = outlook.failure, outlook.trace
    if outlook.kept is not None and outlook.modules is not None and isinstance(outlook.field("init_r").value, int):
        whole = outlook.field("init_r").value * outlook.modules
        words: dict[str, Any] = {"kept": number(outlook.kept), "whole": number(whole)}
        sentence = "is over: this adapter holds {kept} of {whole} ranks in {modules}"
        return said(sentence, language, modules=_modules(outlook.modules, language), **words)
    if failure is not None and failure.stage in EARLY:
        words = {"exception": failure.exception, "when": STAGES[language][failure.stage]}
        told = said("raises {exception} {when}, before the first step", language, **words)
        return f"{told}: {failure.message}" if language == "en" else told
    if failure is not None and failure.stage is Stage.SAVE:
        return said("finishes, but saving the adapter raises {exception}", language, exception=failure.exception)
    if failure is not None and failure.step is not None:
        words = {"step": number(failure.step), "exception": failure.exception}
        reason = said(REASONS[failure.exception], language) if failure.exception in REASONS else failure.message
        return said("crashes at step {step} with {exception}: {reason}", language, reason=reason, **words)
    if traced is None:
        return said("cannot be told: it depends on {names}", language, names=undecided_of(outlook, language))
    return _ending(outlook, traced, language)


def undecided_of(outlook: Outlook, language: str) -> str:
    """Name what the end of the run depends on, and why where the text does tell a value."""
    values = {one.name: one.value for one in outlook.fields}
    beyond = "{name}, which is beyond 2**53: no float counts so many steps"
    return ", ".join(
        said(beyond, language, name=name) if is_number(values.get(name)) and abs(values[name]) > LARGEST else name
        for name in outlook.unknown or outlook.undecided
    )


def _ending(outlook: Outlook, traced: Trace, language: str) -> str:
    count = outlook.plan.modules or 1

    def ranks(total: int) -> str:
        average = number(total / count)
        if outlook.modules is None:
            return said("{average} ranks in a module on average", language, average=average)
        return said("{total} ranks, {average} in a module on average", language, total=number(total), average=average)

    if traced.kept is None:
        sentence = "finishes, but nothing is ever pruned: {ranks}, in memory and in the saved adapter"
        return said(sentence, language, ranks=ranks(traced.live))
    if traced.kept == traced.live:
        return said("finishes: {ranks}, in memory and in the saved adapter", language, ranks=ranks(traced.kept))
    words = {"live": ranks(traced.live), "kept": ranks(traced.kept)}
    return said(
        "finishes, but memory and file differ: {live} in memory; {kept} in the saved adapter", language, **words
    )


def origin_of(one: Field, language: str) -> str:
    """Say what a field is, and where that comes from."""
    if one.origin is Origin.UNKNOWN:
        written = f"{one.name}={one_line(one.text)}" if one.text else one.name
        if one.row is None:
            return said("{field} (unknown)", language, field=written)
        return said("{field} (unknown, line {row})", language, field=written, row=one.row)
    value = f"{one.name}={one.value}"
    if one.origin is Origin.DEFAULT:
        return said("{field} (PEFT's default)", language, field=value)
    if one.origin is Origin.FRAMEWORK:
        return said("{field} ({framework}'s default)", language, field=value, framework=one.text)
    if one.origin is Origin.ASSUMED:
        return said("{field} (assumed)", language, field=value)
    return said("{field} (line {row})", language, field=value, row=one.row)


def assumed(assumption: Assumption, language: str) -> str:
    """Say what is assumed, and why."""
    if assumption.reason == "documented loop":
        return said("update_and_allocate is called after every optimizer step, with 0, 1, 2 …", language)
    if assumption.reason == "modules tried":
        return said("nothing of the number of modules, so ranks are averages; --modules N gives totals", language)
    words = {"name": assumption.name, "value": number(assumption.value)}
    if assumption.reason == "run length":
        return said("{name} is {value}, the length of the run that this file tells", language, **words)
    return said("{name} is {value}, as you say", language, **words)


def singular(sentence: str) -> str:
    """Say `Step 0:` where one step is meant; Chinese has no plural."""
    return re.sub(r"^([Ss]tep)s (-?[\d,]+):", r"\1 \2:", sentence)


def steps_of(phase: Phase) -> str:
    """Name the steps of a phase, both ends included."""
    first, last = number(phase.first), number(phase.last)
    return first if phase.length == 1 else f"{first}–{last}"


def number(value: Any) -> str:
    """Write a number for people: thousands apart, four digits of a fraction."""
    if isinstance(value, float):
        return f"{int(value):,}" if value.is_integer() and abs(value) < 2**53 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else one_line(str(value))


def _modules(count: int, language: str) -> str:
    from adalint.report.words import counted

    return counted(count, "module", language)
