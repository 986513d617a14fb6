"""Checking that a team's own page asks about things that exist: a misspelt name would silence the rule for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adalint.rulebook.language import Condition
from adalint.rulebook.pages import PageError, place_in
from adalint.schema import FIELDS
from adalint.settings import nearest_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from adalint.rulebook.pages import Rule
    from adalint.rulebook.templates import Template

FACTS: Final = frozenset(
    {
        "trace.exception",
        "trace.failing_step",
        "outcome.exception",
        "outcome.stage",
        "loop.allocates",
        "site.serialised",
        "site.saved",
        "site.may_get_total_step",
        "site.late_total_step",
        "site.knows_run_length",
        "site.run_length",
        "site.run_length_file",
    }
)
"""What a page may ask beside the fields of `AdaLoraConfig`."""


def check_names(rules: Iterable[Rule]) -> None:
    """Check every name in the pages of these rules.

    Raises:
        PageError: one is neither a field of `AdaLoraConfig` nor a fact; the message names the page, the line and the
            nearest.
    """
    for rule in rules:
        for name in _names(rule):
            if name not in FIELDS and name not in FACTS:
                reason = f"no field of AdaLoraConfig is called {name!r}{nearest_word(name, [*FIELDS, *FACTS])}"
                raise PageError(f"{place_in(rule.path, name)}: {reason}")


def _names(rule: Rule) -> Iterator[str]:
    for case in rule.cases:
        yield from case.at
        yield from _in_words(case.when, *case.message, *case.message_zh)
    for outcome in rule.outcomes:
        yield from _in_words(outcome.when)
    for fix in rule.fixes:
        yield from _in_words(fix.when, fix.title, fix.title_zh)
        for step in fix.steps:
            yield step.field
            if step.kind in {"set", "rename", "swap"} and step.other is not None:
                yield step.other
            yield from _in_words(step.value, step.text, step.when)


def _in_words(*words: Condition | Template | None) -> Iterator[str]:
    for one in words:
        parts = (one,) if isinstance(one, Condition) else () if one is None else one.parts
        for part in parts:
            if isinstance(part, Condition):
                yield from sorted(part.names())
