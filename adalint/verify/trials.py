"""What has to be supposed before both sides of a fix can be run."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final

from adalint.plan import RIGHT_LOOP, SCHEDULE_FIELDS
from adalint.schema import FIELDS, Use, is_ignored, use_of
from adalint.values import Literal, operate, symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adalint.plan import Plan
    from adalint.values import Expr

LOOP: Final = "the training loop"
MODULES: Final = 4
_RANKS: Final = (4, 12, 64)
_STEPS: Final = (100, 3000, 50_000)

MODELLED: Final = frozenset(SCHEDULE_FIELDS) | {
    "beta1",
    "beta2",
    "init_lora_weights",
    "lora_alpha",
    "lora_dropout",
    "orth_reg_weight",
    "rank_pattern",
    "task_type",
}
"""The fields that training depends on whatever the model is, so that a stand-in for it shows what they do."""


def changed_fields(before: Plan, after: Plan, release: str) -> list[str]:
    """Name the fields that PEFT honours in this release and that are worth something else afterwards.

    A training loop that changes is named, too.
    """
    names = [
        name
        for name in before.values
        if use_of(name, release) in (Use.HONOURED, Use.REFUSED, Use.OUTPUT)
        and _as_read(name, before, release) != _as_read(name, after, release)
    ]
    return [*names, LOOP] if before.loop != after.loop else names


def _as_read(name: str, plan: Plan, release: str) -> Expr:
    """Give what PEFT makes of a field: a value that it ignores is worth the default, an interval has no sign."""
    expr = plan.values[name]
    if name == "deltaT":
        return operate("abs", expr)
    return Literal(FIELDS[name].default) if is_ignored(name, expr, release, plan.values) is True else expr


def beyond_a_stand_in(before: Plan, after: Plan, changed: list[str]) -> list[str]:
    """Name the changed fields whose effect depends on the model, or is not known."""
    return [
        name for name in changed if name != LOOP and not _is_modelled(name, before.values[name], after.values[name])
    ]


def _is_modelled(name: str, before: Expr, after: Expr) -> bool:
    if name in SCHEDULE_FIELDS:
        return True
    if name not in MODELLED or not (isinstance(before, Literal) and isinstance(after, Literal)):
        return False
    if name == "task_type":
        # Whether there is one decides on the penalty; which one it is, on the class of the model.
        return (before.value is None) != (after.value is None)
    if name == "init_lora_weights":
        return isinstance(before.value, bool) and isinstance(after.value, bool)
    return True


def trials_of(before: Plan, after: Plan) -> Iterator[dict[str, Any]]:
    """Give stand-ins for everything unknown: small, usual and large ranks and run lengths."""
    names = sorted((before.unknowns() | after.unknowns()) - {"modules", "loop"})
    for numbers in product(*(_stand_ins(name, before) for name in names)):
        yield {**dict(zip(names, numbers, strict=True)), "modules": MODULES, "loop": RIGHT_LOOP}


def _stand_ins(name: str, plan: Plan) -> tuple[int, ...]:
    ranks = {"init_r", "target_r"}
    of_ranks = name in ranks or any(name in symbols(plan.values[rank]) for rank in ranks)
    return _RANKS if of_ranks else _STEPS


def assumptions_of(before: Plan, after: Plan, trials: list[dict[str, Any]]) -> Iterator[str]:
    """Say what the trials suppose."""
    unknown = before.unknowns() | after.unknowns()
    if "loop" in unknown:
        yield "update_and_allocate is called after every optimizer step, with 0, 1, 2 …"
    if "modules" in unknown:
        yield f"{MODULES} modules are adapted"
    for name, number in before.assumptions:
        yield f"{name} is one of {number}"
    for name in sorted(unknown - {"loop", "modules"}):
        tried = sorted({trial[name] for trial in trials})
        yield f"{name} is one of {', '.join(map(str, tried))}"
    for name, expr in before.values.items():
        if name not in SCHEDULE_FIELDS and not isinstance(expr, Literal):
            yield f"{name} is accepted by PEFT"


def named(trial: Mapping[str, Any]) -> str:
    """Write a trial as text."""
    return ", ".join(f"{name}={number}" for name, number in trial.items() if name not in {"modules", "loop"})


def evenly(count: int, most: int) -> list[int]:
    """Choose at most so many of `count` places, the first and the last among them."""
    if count <= most or most < 2:
        return list(range(min(count, most)))
    return [at * (count - 1) // (most - 1) for at in range(most)]
