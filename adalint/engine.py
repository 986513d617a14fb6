"""The whole way of one file: text in, findings or a fixed text out.

The command line, the hooks and the Python API all go through `check_source` and `fix_source`, so that they cannot
disagree.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from adalint.findings import Applied, Finding, Fixed, Refusal, Report, Severity
from adalint.fixes.recipes import fixes_of
from adalint.readers import read_sites
from adalint.readers.errors import ReadError
from adalint.releases import NEWEST
from adalint.rulebook.judge import fire
from adalint.rulebook.pages import load
from adalint.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adalint.findings import Fix, Safety
    from adalint.settings import Settings
    from adalint.site import Site
    from adalint.source import Source, Span

MAX_PASSES: Final = 10


def check_source(source: Source, settings: Settings) -> Report:
    """Find every mistake in one source, sorted by place. Never raises for what the source holds."""
    try:
        sites = read_sites(source)
    except ReadError as error:
        return Report(source, tuple(_unparsable(source, error, settings)))
    # A dict that feeds several configurations is wrong once.
    findings = {_identity(finding): finding for site in reversed(sites) for finding in _judge(site, settings)}
    return Report(source, tuple(sorted(findings.values(), key=lambda finding: (finding.span, finding.code))))


def fix_source(source: Source, settings: Settings, allowed: Safety) -> Fixed:
    """Apply the fixes that the caller allows, at most one per Site and pass, until nothing is left to apply.

    Each result is read and judged again before it is kept: one that no longer parses, cannot be encoded, or brings a
    new mistake is dropped, and says so in `refused`.
    """
    current = source
    applied: list[Applied] = []
    refused: dict[Choice, Refusal] = {}
    for _ in range(MAX_PASSES):
        chosen = _choose(current, settings, allowed, refused)
        if not chosen:
            break
        together = current.apply(edit for choice in chosen.values() for edit in choice[1].edits)
        if _objection(current, together, settings) is None:
            applied += (Applied(*pair, current.position(pair[0].span.start)) for pair in chosen.values())
            current = together
            continue
        for choice, (finding, fix) in chosen.items():
            alone = current.apply(fix.edits)
            reason = _objection(current, alone, settings)
            position = current.position(finding.span.start)
            if reason is None:
                applied.append(Applied(finding, fix, position))
                current = alone
                break
            refused[choice] = Refusal(finding, position, reason)
    return Fixed(source, current, tuple(applied), tuple(refused.values()), check_source(current, settings).findings)


Choice: TypeAlias = "tuple[int, str, str]"
"""Which fix: the number of the Site in its file, the rule's code, the fix's title."""


def _choose(
    source: Source, settings: Settings, allowed: Safety, refused: Mapping[Choice, Refusal]
) -> dict[Choice, tuple[Finding, Fix]]:
    """Choose at most one fix per Site, in the order of offset and code; bytes are never edited twice in one pass."""
    try:
        sites = read_sites(source)
    except ReadError:
        return {}
    chosen: dict[Choice, tuple[Finding, Fix]] = {}
    taken: list[Span] = []
    for number, site in enumerate(sites):
        for finding in sorted(_judge(site, settings), key=lambda finding: (finding.span, finding.code)):
            fix = finding.fix_for(allowed)
            if fix is None or (number, finding.code, fix.title) in refused:
                continue
            spans = [edit.span for edit in fix.edits]
            if any(span.start <= other.stop and other.start <= span.stop for span in spans for other in taken):
                continue
            chosen[number, finding.code, fix.title] = (finding, fix)
            taken += spans
            break
    return chosen


def _objection(before: Source, after: Source, settings: Settings) -> str | None:
    """Say why a result may not be kept; None when it may."""
    try:
        after.encode()
        read_sites(after)
    except (SourceError, ReadError) as error:
        return f"the result could not be written: {error}"
    everything = replace(settings, select=("ALL",), ignore=(), extend_select=())
    known = Counter(finding.code for finding in check_source(before, everything).findings)
    for finding in check_source(after, everything).findings:
        known[finding.code] -= 1
        if known[finding.code] < 0 and finding.severity is not Severity.INFO:
            return f"it would lead to {finding.code} ({finding.name})"
    return None


def _judge(site: Site, settings: Settings) -> list[Finding]:
    """Judge a Site; of one that can be read in several ways, report only what holds in all of them."""
    findings = list(_judge_reading(site, settings))
    for other in site.others:
        also = {_identity(finding): finding for finding in _judge_reading(other, settings)}
        findings = [_in_both(finding, also[_identity(finding)]) for finding in findings if _identity(finding) in also]
    return findings


def _identity(finding: Finding) -> tuple[str, Span]:
    return finding.code, finding.span


def _in_both(finding: Finding, other: Finding) -> Finding:
    """Keep the fixes that are right in both readings: those that make the same edits."""
    return replace(finding, fixes=tuple(fix for fix in finding.fixes if fix in other.fixes))


def _judge_reading(site: Site, settings: Settings) -> Iterator[Finding]:
    rulebook = load()
    fired = fire(site, rulebook, settings.target_peft or NEWEST)
    for one in fired:
        rule = one.rule
        if settings.selected(rule.code, rule.name, rule.severity):
            fixes = fixes_of(one, fired, rulebook, settings, settings.language)
            yield replace(one.finding(settings.language), fixes=tuple(fixes))


def _unparsable(source: Source, error: ReadError, settings: Settings) -> Iterator[Finding]:
    rule = load().rules["ADA901"]
    if settings.selected(rule.code, rule.name, rule.severity):
        span = source.line_span(source.row_of(error.offset))
        yield Finding(rule.code, rule.name, rule.severity, f"cannot be read: {error}", span)
