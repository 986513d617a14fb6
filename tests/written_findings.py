"""Findings written down by hand, for the tests of what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adalint.findings import Effect, Finding, Fix, Related, Report, Safety, Severity
from adalint.source import Edit, Kind, Source, Span

if TYPE_CHECKING:
    from collections.abc import Sequence


def source(text: str, path: str = "train.py") -> Source:
    return Source(path, Kind.PYTHON, text.encode())


def span(of: Source, text: str) -> Span:
    start = of.content.index(text.encode())
    return Span(start, start + len(text.encode()))


def finding(
    of: Source,
    at: str,
    message: str = "r=16 has no effect",
    *,
    severity: Severity = Severity.WARNING,
    related: Sequence[tuple[str, str]] = (),
    fixes: Sequence[Fix] = (),
) -> Finding:
    places = tuple(Related(span(of, text), why) for text, why in related)
    return Finding("ADA101", "lora-rank-ignored", severity, message, span(of, at), places, tuple(fixes))


def report(of: Source, *findings: Finding) -> Report:
    return Report(of, findings)


def replacing(
    of: Source,
    old: str,
    new: str,
    safety: Safety = Safety.SAFE,
    effect: Effect = Effect.PRESERVES,
    takes: str | None = None,
) -> Fix:
    return Fix(f"write {new}", effect, safety, (Edit(span(of, old), new),), takes=takes)
