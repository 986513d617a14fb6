"""Checks of what a framework does with a configuration before PEFT sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adalint.findings import Severity
from adalint.rulebook.hit import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.rulebook.judge import SiteFacts


def framework_never_allocates(facts: SiteFacts) -> Iterator[Hit]:
    """Find AdaLoRA in a framework that nowhere calls the allocator."""
    framework = facts.site.framework
    if framework is not None and framework.never_allocates:
        yield Hit((), {"framework": framework.title}, spans=(framework.switch.key_span,))


def framework_without_adalora(facts: SiteFacts) -> Iterator[Hit]:
    """Find AdaLoRA asked of a framework that has none."""
    framework = facts.site.framework
    if framework is not None and not framework.has_adalora:
        found = {
            "framework": framework.title,
            "key": framework.switch_key,
            "value": framework.switch.text,
            "does": framework.does,
            "does_zh": framework.does_zh,
        }
        yield Hit((), found, spans=(framework.switch.key_span,))


def renamed_option(facts: SiteFacts) -> Iterator[Hit]:
    """Find options that the framework's release calls otherwise; a warning where nobody says which release it is."""
    framework = facts.site.framework
    for one in framework.renamed if framework else ():
        found = {
            "framework": framework.title if framework else None,
            "field": one.key,
            "meant": one.field or one.to,
            "gone": one.gone,
        }
        if one.outdated or (framework and one.to in framework.written):
            found["not_alone"] = one.to
        yield Hit((one.key,), found, severity=None if one.certain else Severity.WARNING)


def removed_flag(facts: SiteFacts) -> Iterator[Hit]:
    """Find flags that the framework's published code does not know."""
    framework = facts.site.framework
    for one in framework.removed if framework else ():
        found = {"framework": framework.title if framework else None, "field": one.key, "meant": one.field or one.to}
        if framework and one.to in framework.written:
            found["not_alone"] = one.to
        yield Hit((one.key,), found)


def dropped_option(facts: SiteFacts) -> Iterator[Hit]:
    """Find options that the framework takes and does not hand on to PEFT."""
    framework = facts.site.framework
    for one in framework.dropped if framework else ():
        found = {
            "framework": framework.title if framework else None,
            "field": one.key,
            "why": one.why,
            "why_zh": one.why_zh,
        }
        yield Hit((), found, spans=(one.value.key_span,))
