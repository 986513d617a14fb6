"""What adalint says: findings, and the fixes that each may carry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from adalint.plan import Plan
    from adalint.source import Edit, Position, Source, Span


class Severity(StrEnum):
    """How bad: an error raises somewhere or destroys the adapter, a warning is silent but not what was meant."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Effect(StrEnum):
    """What a fix does to training."""

    PRESERVES = "preserves"
    """Losses and tensors are bit-identical before and after."""
    COMPLETES = "completes"
    """The run crashes at a known step today, and finishes afterwards."""
    REPAIRS = "repairs"
    """The code raised before the first step, and runs afterwards."""
    CHANGES = "changes"
    """Training becomes what was meant, so it is not what it was."""
    DISPLAY = "display"
    """Shown, never applied by the tool."""


class Safety(IntEnum):
    """Whether a fix may be applied; a comparison answers: `fix.safety >= Safety.SAFE`."""

    DISPLAY = 0
    UNSAFE = 1
    SAFE = 2


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend a finding.

    `edits` is empty when the fix is only shown; `why` then says why the tool does not place it. `takes` is the command
    or setting with which a caller would take a fix that is not safe. `before` and `after` are what would be trained
    without and with it, which `verify` runs.
    """

    title: str
    effect: Effect
    safety: Safety
    edits: tuple[Edit, ...] = ()
    why: str | None = None
    takes: str | None = None
    before: Plan | None = field(default=None, repr=False, compare=False)
    after: Plan | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a finding."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake at one place, with its fixes, best first."""

    code: str
    name: str
    severity: Severity
    message: str
    span: Span
    related: tuple[Related, ...] = ()
    fixes: tuple[Fix, ...] = ()

    def fix_for(self, allowed: Safety) -> Fix | None:
        """Give the first fix that the caller allows, None when there is none."""
        return next((fix for fix in self.fixes if fix.edits and fix.safety >= allowed), None)

    def carried(self, span: Callable[[Span], Span], edits: Callable[[tuple[Edit, ...]], tuple[Edit, ...]]) -> Finding:
        """Give the same finding in the places of another text."""
        related = tuple(replace(one, span=span(one.span)) for one in self.related)
        fixes = tuple(replace(fix, edits=edits(fix.edits)) for fix in self.fixes)
        return replace(self, span=span(self.span), related=related, fixes=fixes)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one source, sorted by place.

    `suppressed` is what comments in it silence, `hidden` what a baseline knows. `configurations` is how many of AdaLoRA
    were judged, None where nobody has counted.
    """

    source: Source
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    hidden: tuple[Finding, ...] = ()
    configurations: int | None = None

    def start(self, place: Finding | Related | Edit) -> Position:
        """Tell where a finding, a related place or an edit begins: row and column from 1, columns in characters."""
        return self.source.position(place.span.start)

    def end(self, place: Finding | Related | Edit) -> Position:
        """Tell where it ends: the place behind its last character."""
        return self.source.position(place.span.stop)


@dataclass(frozen=True, slots=True)
class Applied:
    """A fix that was applied, and where the finding stood when it was."""

    finding: Finding
    fix: Fix
    position: Position


@dataclass(frozen=True, slots=True)
class Refusal:
    """A fix that was allowed but not applied, where its finding stood, and why."""

    finding: Finding
    position: Position
    reason: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """The outcome of fixing one source: the result, what was applied, what was refused, what is left to report."""

    before: Source
    after: Source
    applied: tuple[Applied, ...] = ()
    refused: tuple[Refusal, ...] = ()
    left: tuple[Finding, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    hidden: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """The outcome of silencing one source: the result, what it silences, and what no comment can silence, with why."""

    before: Source
    after: Source
    silenced: tuple[Finding, ...] = ()
    left: tuple[tuple[Finding, str], ...] = ()
