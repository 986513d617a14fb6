"""What a fix of a rule page does to training, seen by running both sides of its example.

Both sides are run as they stand: Python is executed, an `adapter_config.json` is loaded by PEFT, and of other files PEFT
is given what is read of them. Schedules are scaled down to few steps, both sides by the same factor.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import peft
from effect_runs import LENGTHS, Shown, Side, executed, literal, peft_shows, reference_shows
from examples import OF_LOOPS, Example, section

from adalint.engine import check_source
from adalint.findings import Effect
from adalint.plan import SCHEDULE_FIELDS, Loop, Plan, assemble
from adalint.readers import read_sites
from adalint.releases import NEWEST
from adalint.schema import defaults
from adalint.settings import Settings
from adalint.source import Kind
from adalint.values import UNKNOWN, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from adalint.findings import Fix
    from adalint.rulebook.pages import Recipe

STEPS = 20
"""Optimizer steps of the longest of both sides, scaled."""
USUAL_LENGTH = 3000
"""What stands in for a `total_step` that the user's own code adds."""
MODULES = 2
NEVER = Loop(allocates=False)
"""The loop that does not call the allocator, which a text that shows no loop may have as well as the right one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of a fix in one loop; `to_the_crash` are both sides cut off before the step at which one crashes."""

    before: Shown
    after: Shown
    to_the_crash: tuple[Shown, Shown] | None = None


def refusal(effect: Effect, pairs: list[Pair], *, same_until: bool = True) -> str | None:
    """Say why runs do not show an effect, None when they do.

    `pairs` has one pair for each loop that the text leaves possible. `same_until` is False for a fix that its page says
    to train something else before the crash, too: then a crash must be preceded by other numbers, not by the same.
    """
    for pair in pairs:
        if not pair.after.finished:
            return f"afterwards it raises {pair.after.exception} at {pair.after.stage}"
    match effect:
        case Effect.PRESERVES:
            return next(filter(None, map(_not_preserved, pairs)), None)
        case Effect.COMPLETES:
            if not any(pair.before.crashed_at is not None for pair in pairs):
                return "it does not crash at a step today"
            return next(filter(None, (_not_completed(pair, same_until=same_until) for pair in pairs)), None)
        case Effect.REPAIRS:
            return next((_why_not_early(pair.before) for pair in pairs if not pair.before.raised_before_training), None)
        case Effect.CHANGES:
            return None if any(_not_preserved(pair) for pair in pairs) else "nothing differs"
    return "nothing can be shown of it"


def _not_preserved(pair: Pair) -> str | None:
    before, after = pair.before, pair.after
    if not before.finished:
        return f"today it raises {before.exception} at {before.stage}"
    if not before.losses or not before.tensors or not before.saved:
        return "nothing was trained and saved"
    return _difference(before, after)


def _difference(before: Shown, after: Shown) -> str | None:
    for what in ("losses", "tensors", "saved", "pattern"):
        if getattr(before, what) != getattr(after, what):
            return f"{what} differ"
    return None


def _not_completed(pair: Pair, *, same_until: bool) -> str | None:
    at = pair.before.crashed_at
    if at is None:
        # In a loop in which it does not crash, it has nothing to complete.
        return _not_preserved(pair)
    assert pair.to_the_crash is not None
    cut_before, cut_after = pair.to_the_crash
    if len(pair.after.losses) <= at + 1:
        return "it ends where it crashed"
    different = pair.before.losses != pair.after.losses[: at + 1] or cut_before.tensors != cut_after.tensors
    if different is same_until:
        return f"before step {at} it is {'not ' if same_until else ''}the same"
    return None


def _why_not_early(before: Shown) -> str:
    return "today it runs" if before.finished else f"today it raises at {before.stage}, not before the first step"


@dataclass(frozen=True)
class Claim:
    """A fix of one Bad example, as its page declares it: `recipe` counts from 1."""

    example: Example
    recipe: int
    fix: Fix
    release: str = NEWEST

    def __str__(self) -> str:
        return f"{self.example}-fix-{self.recipe}"

    @property
    def key(self) -> tuple[str, int]:
        """Name the fix on its page."""
        return self.example.rule.code, self.recipe

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """Read the example, and the text that the fix makes of it."""
        texts = self.example.source, self.example.source.apply(self.fix.edits)
        sides = []
        for text in texts:
            [site] = read_sites(text)
            sides.append(Side(text, site, assemble(site, self.release)))
        return sides[0], sides[1]

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """List the loops that a text which shows none may have; empty when each side has its own."""
        unknown = all(side.plan.loop.allocates is UNKNOWN for side in self.sides)
        return (Loop(), NEVER) if unknown else ()

    @cached_property
    def plans(self) -> tuple[Plan, Plan]:
        """Give what would be trained on both sides, every unknown filled in and every length scaled."""
        values = [self._given(side) for side in self.sides]
        lengths = [length for each in values for length in [_number(each.get("total_step"))] if length]
        run_length = self.sides[0].site.run_length
        steps = literal(run_length.expr) if run_length else None
        longest = max([*lengths, *([steps] if steps else [])])
        before, after = (
            _scaled(_filled(side.plan, each), longest) for side, each in zip(self.sides, values, strict=True)
        )
        if steps:
            length = scale(steps, longest)
            before, after = (replace(plan, loop=replace(plan.loop, steps=length)) for plan in (before, after))
        return before, after

    def _given(self, side: Side) -> dict[str, Any]:
        if side.source.kind is Kind.PYTHON:
            return executed(side.source.text)
        given = {name: value.expr.value for name, value in side.site.values.items() if isinstance(value.expr, Literal)}
        if side.plan.values["total_step"] is UNKNOWN:
            given["total_step"] = USUAL_LENGTH
        return given

    @cached_property
    def in_reference(self) -> list[Pair]:
        """Run both sides on the reference adapter."""
        return [self._pair(reference_shows, loop) for loop in self.loops or (None,)]

    @cached_property
    def in_peft(self) -> list[Pair]:
        """Run both sides in PEFT."""
        return [self._pair(peft_shows, loop) for loop in self.loops or (None,)]

    def _pair(self, shows: Callable[[Plan, Side], Shown], loop: Loop | None) -> Pair:
        before, after = self.plans
        if loop is not None:
            steps = before.loop.steps
            before, after = (replace(plan, loop=replace(loop, steps=steps)) for plan in (before, after))
        pair = Pair(shows(before, self.sides[0]), shows(after, self.sides[1]))
        at = pair.before.crashed_at
        if at is None:
            return pair
        cut = [replace(plan, loop=replace(plan.loop, steps=at)) for plan in (before, after)]
        return replace(pair, to_the_crash=(shows(cut[0], self.sides[0]), shows(cut[1], self.sides[1])))


OF_FRAMEWORKS = {"ADA603", "ADA605"}
"""Rules whose fix is for a framework, which refuses the file before PEFT sees it; `test_dialects_real.py` asks that."""

OF_ADAPTERS = {"ADA502"}
"""Rules whose fix is for loading, not for training; `test_adapters.py` loads trained adapters before and after it."""


def claims(release: str = NEWEST) -> Iterator[Claim]:
    """Give every fix of every Bad example that the tool can apply, judged by a release."""
    settings = Settings(pedantic=True, target_peft=release)
    for example in section("Bad"):
        for finding in check_source(example.source, settings).findings:
            if finding.code != example.rule.code or finding.code in OF_LOOPS | OF_ADAPTERS | OF_FRAMEWORKS:
                continue
            for fix in finding.fixes:
                if fix.edits:
                    yield Claim(example, _recipe_of(example, fix), fix, release)


def declared() -> dict[tuple[str, int], Recipe]:
    """Give every fix of every page that is not only shown."""
    rules = {example.rule.code: example.rule for example in section("Bad")}
    return {
        (code, number): recipe
        for code, rule in rules.items()
        for number, recipe in enumerate(rule.fixes, start=1)
        if recipe.effect is not Effect.DISPLAY and code not in OF_LOOPS | OF_ADAPTERS | OF_FRAMEWORKS
    }


def _recipe_of(example: Example, fix: Fix) -> int:
    """Tell which fix of the page it is: that with its effect and a title that reads so, the longest when several do."""
    fitting = []
    for number, recipe in enumerate(example.rule.fixes, start=1):
        parts = [part if isinstance(part, str) else None for part in recipe.title.parts]
        pattern = "".join(".+" if part is None else re.escape(part) for part in parts)
        if recipe.effect is fix.effect and re.fullmatch(pattern, fix.title):
            fitting.append((sum(len(part or "") for part in parts), number))
    return max(fitting)[1]


def _number(value: object) -> float | None:
    if isinstance(value, str):
        with suppress(ValueError):
            return float(value)
        return None
    return value if isinstance(value, int | float) and value > 0 else None


def scale(length: float, longest: float) -> int:
    """Scale a number of steps so that `longest` becomes STEPS; what is not 0 does not become it."""
    scaled = max(1, round(abs(length) * STEPS / longest)) if length else 0
    return scaled if length >= 0 else -scaled


def _filled(plan: Plan, given: Mapping[str, Any]) -> Plan:
    """Fill in what the text does not tell: what executing it gave, else PEFT's default."""
    usual = defaults()
    values = dict(plan.values)
    for name, expr in values.items():
        if isinstance(expr, Literal):
            # What was read of a Python text is what executing it gives.
            assert given.get(name, expr.value) == expr.value
        elif name in given:
            values[name] = Literal(given[name])
        elif expr is UNKNOWN or name in SCHEDULE_FIELDS:
            values[name] = Literal(usual[name])
    written = {name: True for name in given if name in values}
    return replace(plan, values=values, given={**plan.given, **written}, modules=MODULES)


def _scaled(plan: Plan, longest: float) -> Plan:
    values = dict(plan.values)
    for name in LENGTHS:
        value = literal(values[name])
        if isinstance(value, int | float) and not isinstance(value, bool):
            values[name] = Literal(scale(value, longest))
    return replace(plan, values=values)


def say(name: str, release: str) -> str:
    """Say whether the installed PEFT, which must be this release, bears out a claim that is judged by it."""
    if peft.__version__ != release:
        raise SystemExit(f"this is PEFT {peft.__version__}, not {release}")
    [claim] = [claim for claim in claims(release) if str(claim) == name]
    return refusal(claim.fix.effect, claim.in_peft) or "shown"


if __name__ == "__main__":
    print(say(*sys.argv[1:]))
