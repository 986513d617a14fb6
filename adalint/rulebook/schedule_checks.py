"""Checks of the schedule and of the ranks that it writes, where a condition does not suffice."""

from __future__ import annotations

import ast
import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from adalint.readers.comments import comment_of
from adalint.rulebook.hit import Hit
from adalint.rulebook.points_in_time import is_moment, is_name_of_moment
from adalint.source import Kind
from adalint.values import Literal, Operation, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.rulebook.judge import SiteFacts
    from adalint.site import Site
    from adalint.values import Number

LONGEST_QUOTE: Final = 60


def hand_written_rank_pattern(facts: SiteFacts) -> Iterator[Hit]:
    """Find a `rank_pattern` that a configuration for training brings along, and tell ranks from masks."""
    match facts.value("rank_pattern"), facts.value("inference_mode"):
        case Literal(dict(pattern)), Literal(False | None) if pattern:
            entries = pattern.values()
            ranks = all(isinstance(entry, int) and not isinstance(entry, bool) for entry in entries)
            masks = all(isinstance(entry, list) for entry in entries)
            found = {"ranks": "rank_pattern"} if ranks else {"masks": "rank_pattern"} if masks else {}
            yield Hit(("rank_pattern",), found)


def delta_t_outruns_budgeting(facts: SiteFacts) -> Iterator[Hit]:
    """Find a schedule of which no multiple of `deltaT` lies between `tinit` and `total_step - tfinal`.

    PEFT asks `step % deltaT == 0` of whole steps, so of a fraction in lowest terms only the numerator counts. A last
    step that is not whole is another rule's affair, and so is a phase without a step in it, where no `deltaT` helps.
    """
    numbers = [_number(facts, name) for name in ("tinit", "tfinal", "deltaT", "total_step")]
    if any(number is None for number in numbers):
        return
    tinit, tfinal, every, total = (number for number in numbers if number is not None)
    end = Fraction(total - tfinal)
    between = abs(Fraction(every).numerator)
    if end.denominator != 1 or tinit >= end or between < 2:
        return
    first = max(math.floor(tinit) + 1, 0)
    if -(-first // between) * between >= end:
        written = tuple(name for name in ("deltaT", "tinit", "tfinal", "total_step") if name in facts.site.values)
        loop = facts.plan.loop
        reaches_it = tfinal > 0 or (loop.allocates is True and loop.counter.start > 0)
        yield Hit(written, {"cut" if reaches_it else "never": str(end)})


def tfinal_read_as_end_step(facts: SiteFacts) -> Iterator[Hit]:
    """Find a `tfinal` whose comment, or the name that it is given, calls it a point in time."""
    value = facts.site.values.get("tfinal")
    expr = facts.value("tfinal")
    if value is None or _subtracts(value.text) or (isinstance(expr, Operation) and expr.name == "-"):
        return
    length = _number(facts, "tfinal")
    if isinstance(expr, Literal) and (length is None or length <= 0):
        return
    name = _name_given(facts.site, value.text)
    if name is not None and is_name_of_moment(name):
        yield Hit(("tfinal",), {"name": name})
        return
    comment = comment_of(facts.site, "tfinal")
    if comment is not None and is_moment(comment, length, _number(facts, "total_step")):
        quote = comment if len(comment) <= LONGEST_QUOTE else f"{comment[: LONGEST_QUOTE - 1]}…"
        yield Hit(("tfinal",), {"comment": quote})


def _number(facts: SiteFacts, name: str) -> Number | None:
    match facts.value(name):
        case Literal(int() | float() as value) if is_number(value) and math.isfinite(value):
            return value
    return None


def _subtracts(text: str) -> bool:
    return re.search(r"\w[\s)\]]*-", text) is not None


def _name_given(site: Site, text: str) -> str | None:
    """Give the last name of what a field is given: `end_step` of `cfg.run["end_step"]` and of `${run.end_step}`."""
    if site.source.kind is not Kind.PYTHON:
        match = re.fullmatch(r"""["']?\$\{(?:[\w.]*\.)?(\w+)\}["']?|\*([\w-]+)""", text)
        return None if match is None else match[1] or match[2]
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return None
    while isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        node = node.args[0]
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return None
