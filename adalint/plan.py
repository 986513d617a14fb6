"""What will be trained and how, free of any syntax: a configuration joined with a training loop.

Rules judge Plans. `adalint.trace` runs them without tensors; the tests run the same ones in PEFT.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from adalint.releases import NEWEST
from adalint.values import UNKNOWN, Expr, Kleene, Literal, is_number, substitute, symbols

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.site import Site
    from adalint.values import Number

SCHEDULE_FIELDS = ("init_r", "target_r", "tinit", "tfinal", "deltaT", "total_step")


class Event(StrEnum):
    """One thing that happens within an iteration of a training loop."""

    BACKWARD = "backward"
    STEP = "step"
    ALLOCATE = "allocate"
    ZERO_GRAD = "zero_grad"
    ZERO_FILL = "zero_fill"
    """`zero_grad(set_to_none=False)`, or gradients filled with zeros by hand: zeros, even where there were none."""


@dataclass(frozen=True, slots=True)
class Counter:
    """The number that `update_and_allocate` is given.

    Optimizer step i (from 0) and its call j (from 0) get `start + stride * (i % period) + call_stride * j`;
    `period` is None unless the counter restarts (an epoch-local index): then the optimizer steps of one epoch.
    """

    start: int = 0
    stride: int = 1
    call_stride: int = 0
    period: int | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """The condition around the call, on the counter: `s % every == remainder` (not 0), `first <= s <= last`."""

    every: int = 1
    remainder: int = 0
    first: int | None = None
    last: int | None = None
    needs_rank_pattern: bool = False
    """The call is made only when `rank_pattern` is set, which only the call itself can do."""


@dataclass(frozen=True, slots=True)
class Loop:
    """One training loop as the allocator sees it: the order of events in one optimizer step, and who calls it when.

    `allocates` is False when `update_and_allocate` is never called, UNKNOWN when the text does not tell.
    `calls` is how often it is called within one optimizer step, once for each micro-batch: each call stands beside a
    backward pass of its own, on the side that `order` shows. Only the last one after its pass (or the first one before
    its pass) also follows what stands between the two, or before them, in `order`: with the default order and two
    calls that is backward, allocate, backward, step, allocate, zero_grad. Gradients survive from one optimizer step to
    the next until zero_grad or zero_fill.
    `steps` is the number of optimizer steps of the run; None means `total_step` of them, a fraction cut off.
    """

    order: tuple[Event, ...] = (Event.BACKWARD, Event.STEP, Event.ALLOCATE, Event.ZERO_GRAD)
    allocates: Kleene = True
    counter: Counter = Counter()
    guard: Guard = Guard()
    calls: int = 1
    steps: int | None = None


UNKNOWN_LOOP = Loop(allocates=UNKNOWN)
RIGHT_LOOP = Loop()
"""The loop of PEFT's own documentation: called once after every optimizer step, with 0, 1, 2 …"""


@dataclass(frozen=True, slots=True)
class Plan:
    """A configuration with its defaults filled in, and the loop that trains it.

    `values` holds the effective value of every field: what is written, else PEFT's default, else UNKNOWN.
    `given` tells for each field whether it is written. `modules` is the number of adapted modules.
    `assumptions` lists what `assume` filled in, as (what, number).
    """

    values: Mapping[str, Expr]
    given: Mapping[str, Kleene] = field(default_factory=dict)
    loop: Loop = UNKNOWN_LOOP
    modules: int | None = None
    assumptions: tuple[tuple[str, Any], ...] = ()
    release: str = NEWEST
    """The release of PEFT that it is judged by."""
    strangers: tuple[str, ...] = ()
    """Names that the constructor is given and does not know."""

    def unknowns(self) -> frozenset[str]:
        """Name what `assume` must be told before the schedule can be traced: fields, symbols, `modules`, `loop`."""
        names: set[str] = set()
        for name in SCHEDULE_FIELDS:
            expr = self.values.get(name, UNKNOWN)
            names |= {name} if expr is UNKNOWN else symbols(expr)
        if self.modules is None:
            names.add("modules")
        if self.loop.allocates is UNKNOWN:
            names.add("loop")
        return frozenset(names)

    def assume(self, witnesses: Mapping[str, Any]) -> Plan:
        """Fill unknowns with witnesses: a field or symbol with a number, `modules` with an int, `loop` with a Loop.

        What is already known is left as it is; every witness that was used is recorded in `assumptions`.
        """
        wanted = self.unknowns()
        used = {name: witness for name, witness in witnesses.items() if name in wanted}
        numbers: dict[str, Number] = {name: witness for name, witness in used.items() if is_number(witness)}
        values: dict[str, Expr] = {**dict.fromkeys(SCHEDULE_FIELDS, UNKNOWN), **self.values}
        for name, expr in list(values.items()):
            if expr is UNKNOWN and name in numbers:
                values[name] = Literal(numbers[name])
            else:
                values[name] = substitute(expr, numbers)
        return replace(
            self,
            values=values,
            modules=used.get("modules", self.modules),
            loop=used.get("loop", self.loop),
            assumptions=(*self.assumptions, *sorted(used.items(), key=lambda item: item[0])),
        )


def assemble(site: Site, release: str = NEWEST) -> Plan:
    """Join a site with PEFT's defaults.

    What is not written but may come from elsewhere, or is written under another name, is UNKNOWN.
    """
    from adalint.schema import defaults, meanings
    from adalint.site import Surface

    values: dict[str, Expr] = {}
    given: dict[str, Kleene] = {}
    of_framework = site.framework.defaults if site.framework else {}
    for name, default in defaults().items():
        written = site.values.get(name)
        absent = of_framework.get(name, Literal(default))
        may_follow = site.open and not (site.framework and site.framework.never_sets(name))
        if may_follow or (name == "total_step" and site.may_get_total_step):
            absent = UNKNOWN
        if written is None:
            values[name] = absent
            given[name] = UNKNOWN if may_follow else False
        else:
            values[name] = written.expr if written.given is True else UNKNOWN
            given[name] = written.given
    strangers = tuple(name for name in site.values if name not in values and name not in site.accepts)
    elsewhere = {field for name in strangers for field in meanings(name) if field not in site.values}
    for name in elsewhere | (site.changed_later & values.keys()):
        values[name] = UNKNOWN
        given[name] = UNKNOWN
    if site.surface is not Surface.CALL:
        strangers = ()
    return Plan(values, given, site.loop, strangers=strangers, release=release)
