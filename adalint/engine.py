"""The whole way of one file: text in, findings or a fixed text out.

The command line, the hooks and the Python API all go through `check_source` and `fix_source`, so that they cannot
disagree.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

from adalint import baseline
from adalint.adapters.quick_look import is_in_order
from adalint.embedded import HOSTS, LINE, embedded_in, text_at, texts_in, unread_in
from adalint.findings import Applied, Finding, Fixed, Ignored, Refusal, Report, Severity
from adalint.fixes.recipes import fixes_of
from adalint.readers import read_sites
from adalint.readers.errors import ReadError
from adalint.report.words import in_language, said
from adalint.rulebook.judge import fire
from adalint.rulebook.pages import load
from adalint.source import Kind, SourceError
from adalint.targets import over, pins_within, release_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from adalint.findings import Fix, Safety
    from adalint.rulebook.judge import Fired
    from adalint.rulebook.pages import Rulebook
    from adalint.settings import Settings
    from adalint.site import Site
    from adalint.source import Edit, Source, Span

MAX_PASSES: Final = 10


def check_source(source: Source, settings: Settings) -> Report:
    """Find every mistake in one source, sorted by place. Never raises for what the source holds."""
    if source.kind is Kind.JSON and is_in_order(source, settings):
        return Report(source, configurations=1)
    return check_closely(source, settings)


def check_closely(source: Source, settings: Settings) -> Report:
    """Do the same with no glance at whether anything can be wrong at all."""
    try:
        return _judged(source, settings).report
    except ReadError as error:
        return _report(source, list(_unparsable(source, error, settings)), settings, parsed=False)


def judge_sites(source: Source, settings: Settings) -> list[tuple[Site, list[Finding]]]:
    """Find the configurations of a source, each with the mistakes in it that no comment silences and no baseline knows.

    Raises:
        ReadError: the text is not what its kind says.
    """
    return _judged(source, settings).sites


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is wrong in a source, and of each configuration in it what no comment silences."""

    report: Report
    sites: list[tuple[Site, list[Finding]]]


def _judged(source: Source, settings: Settings) -> _Judged:
    """Judge a source, and leave out what its baseline knows."""
    judged = _judged_anew(source, settings)
    if not settings.known_here:
        return judged
    kept, hidden = baseline.sift(source, judged.report.findings, settings.known_here)
    report = replace(judged.report, findings=tuple(kept), hidden=tuple(hidden))
    return _Judged(report, _reported(judged.sites, report))


def _judged_anew(source: Source, settings: Settings, within: Sequence[Finding] = ()) -> _Judged:
    """Judge a source; what is embedded in it is judged as it stands there, and then in the places of the source.

    `within` are findings of command lines in a Python text: its comments silence them, too.
    """
    settings = over(settings, pins_within(source))
    if source.kind not in HOSTS:
        sites = [(site, _judge(site, settings)) for site in read_sites(source)]
        unread = [finding for error in unread_in(source) for finding in _unparsable(source, error, settings)]
        return _sifted(source, [*_together([found for _, found in sites]), *unread, *within], sites, settings)
    findings: list[Finding] = []
    suppressed: list[Finding] = []
    sites = []
    for text in reversed(embedded_in(source)):  # the Python of a notebook is the last, then
        try:
            judged = _judged_anew(text, settings, findings if text.lines is None else ())
        except ReadError:
            continue  # a block of Markdown may be a fragment, or a sketch
        # A fragment configures nothing, so that what a suppression in it silences is not to be seen.
        is_fragment = source.kind is Kind.MARKDOWN and not judged.sites
        told = [one for one in judged.report.findings if not (is_fragment and one.code == "ADA902")]
        findings = [*(() if text.lines is None else findings), *map(text.finding_out, told)]
        suppressed += map(text.finding_out, judged.report.suppressed)
        sites[:0] = [(site, [text.finding_out(one) for one in found]) for site, found in judged.sites]
    judged = _sifted(source, findings, sites, settings)
    silenced = sorted([*suppressed, *judged.report.suppressed], key=_order)
    return replace(judged, report=replace(judged.report, suppressed=tuple(silenced)))


def _sifted(
    source: Source, findings: list[Finding], sites: list[tuple[Site, list[Finding]]], settings: Settings
) -> _Judged:
    report = replace(_report(source, findings, settings), configurations=len(sites))
    return _Judged(report, _reported(sites, report))


def _reported(sites: list[tuple[Site, list[Finding]]], report: Report) -> list[tuple[Site, list[Finding]]]:
    """Leave of the findings of each Site those that are reported."""
    reported = {_identity(finding) for finding in report.findings}
    return [(site, [one for one in sorted(found, key=_order) if _identity(one) in reported]) for site, found in sites]


def _together(judged: list[list[Finding]]) -> list[Finding]:
    """Join the findings of all Sites: a dict that feeds several configurations is wrong once."""
    return list({_identity(finding): finding for findings in reversed(judged) for finding in findings}.values())


def _report(source: Source, findings: list[Finding], settings: Settings, *, parsed: bool = True) -> Report:
    """Take out what comments silence, and put in what is wrong with those comments."""
    suppressed: tuple[Finding, ...] = ()
    if source.kind is not Kind.JSON and b"adalint" in source.content.lower():
        from adalint.suppress import sift  # few texts have such comments

        sifted = sift(source, findings, settings, parsed=parsed)
        findings, suppressed = list(sifted.kept), sifted.suppressed
    return Report(source, tuple(sorted(findings, key=_order)), tuple(sorted(suppressed, key=_order)))


def _order(finding: Finding) -> tuple[Span, str]:
    return finding.span, finding.code


def fix_source(source: Source, settings: Settings, allowed: Safety, objection: Objection | None = None) -> Fixed:
    """Apply the fixes that the caller allows, at most one per Site and pass, until nothing is left to apply.

    Each result is read and judged again before it is kept: one that no longer parses, cannot be encoded, or brings a
    new mistake is dropped, and says so in `refused`. So is a fix that `objection` gives a reason against.
    """
    current = source
    applied: list[Applied] = []
    refused: dict[Choice, Refusal] = {}
    for _ in range(MAX_PASSES):
        chosen = _choose(current, settings, allowed, refused)
        while objection is not None and (against := _against(chosen, current, objection)):
            refused |= against
            chosen = _choose(current, settings, allowed, refused)
        if not chosen:
            break
        kept = _most([*chosen], partial(_fixed, current, chosen, settings))
        applied += (Applied(*chosen[one], current.position(chosen[one][0].span.start)) for one in kept.items)
        for choice, reason in kept.dropped:
            finding, _ = chosen[choice]
            refused[choice] = Refusal(finding, current.position(finding.span.start), reason)
        current = kept.after or current
    left = check_source(current, settings)
    return Fixed(source, current, tuple(applied), tuple(refused.values()), left.findings, left.suppressed, left.hidden)


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[_T]):
    """The items that may go together, and the Source that they lead to; each other with what is against it."""

    items: list[_T]
    after: Source | None
    dropped: list[tuple[_T, str]]


def _fixed(
    source: Source, chosen: Mapping[Choice, tuple[Finding, Fix]], settings: Settings, choices: Iterable[Choice]
) -> Source | str:
    """Apply some of the chosen fixes; say why the result may not be kept where it may not."""
    after = source.apply(edit for choice in choices for edit in chosen[choice][1].edits)
    return _objection(source, after, settings) or after


def _against(
    chosen: Mapping[Choice, tuple[Finding, Fix]], source: Source, objection: Objection
) -> dict[Choice, Refusal]:
    """Refuse what the caller has something against."""
    reasons = {choice: objection(source, finding, fix) for choice, (finding, fix) in chosen.items()}
    return {
        choice: Refusal(finding, source.position(finding.span.start), reason)
        for choice, (finding, _) in chosen.items()
        if (reason := reasons[choice]) is not None
    }


def ignore_source(source: Source, settings: Settings) -> Ignored:
    """Silence every finding of a source by a comment, where its kind has comments.

    The result is read and judged again before it is kept: exactly the findings meant are silenced, and all others stay.
    """
    from adalint.fixes.ignore_edits import reason_against

    text_around = _finder(source)
    reasons = {
        finding: reason_against(finding, text_around(finding.span))
        for finding in check_source(source, settings).findings
    }
    wanted = [finding for finding, reason in reasons.items() if reason is None]
    kept = _most(wanted, lambda some: _silenced(source, some, settings) or "no comment can stand there")
    reasons |= kept.dropped
    after = kept.after or source
    # A suppression that named no rule may name one now.
    still = {finding.code for finding in check_source(after, settings).findings}
    left = [(finding, reason) for finding, reason in reasons.items() if reason is not None and finding.code in still]
    return Ignored(source, after, tuple(kept.items), tuple(left))


def silence(source: Source, finding: Finding, settings: Settings) -> Source | None:
    """Silence one finding of a source by a comment; None when no comment can, or it would silence more."""
    return _silenced(source, [finding], settings) if may_be_silenced(source, finding) else None


def may_be_silenced(source: Source, finding: Finding) -> bool:
    """Tell whether a comment is to silence a finding, wherever it would have to stand."""
    from adalint.fixes.ignore_edits import reason_against

    return reason_against(finding, _finder(source)(finding.span)) is None


def _silenced(source: Source, findings: Sequence[Finding], settings: Settings) -> Source | None:
    """Write suppressions for findings; None when that cannot be done, or would do more than to silence these."""
    from adalint.suppress import OWN_CODES

    try:
        after = _with_comments(source, findings)
        if after is None:
            return None
        after.encode()
    except SourceError:
        return None

    def names(found: Iterable[Finding]) -> Counter[tuple[str, str]]:
        return Counter((one.code, one.message) for one in found if one.code not in OWN_CODES)

    old, new = check_source(source, settings), check_source(after, settings)
    meant = names(findings)
    left = names(new.findings) == names(old.findings) - meant
    return after if left and names(new.suppressed) == names(old.suppressed) + meant else None


def _finder(source: Source) -> Callable[[Span], Source]:
    """Give what finds the embedded text that a place of a source lies in; the source itself where there is none."""
    if source.kind in HOSTS:
        with suppress(ReadError):
            find = text_at(embedded_in(source))
            return lambda span: find(span) or source
    return lambda _: source


def _with_comments(source: Source, findings: Sequence[Finding]) -> Source | None:
    from adalint.fixes.ignore_edits import silencing

    if source.kind not in HOSTS:
        edits = silencing(source, findings)
        return None if edits is None else source.apply(edits)
    carried: list[Edit] = []
    texts = [one for one in embedded_in(source) if one.title != LINE]  # such a line has its comment in the Python
    find = text_at(texts)
    inside: dict[int, list[Finding]] = defaultdict(list)
    for one in findings:
        if (around := find(one.span)) is not None:
            inside[id(around)].append(replace(one, span=around.span_in(one.span)))
    for text in texts:
        edits = silencing(text, inside[id(text)]) if id(text) in inside else []
        if edits is None:
            return None
        carried += text.edits_out(edits)
    return source.apply(carried)


Objection: TypeAlias = "Callable[[Source, Finding, Fix], str | None]"
"""Says why a fix of a source may not be applied; None when it may."""

Choice: TypeAlias = "tuple[int, str, str]"
"""Which fix: the number of the Site in its file, the rule's code, the fix's title."""


def _choose(
    source: Source, settings: Settings, allowed: Safety, refused: Mapping[Choice, Refusal]
) -> dict[Choice, tuple[Finding, Fix]]:
    """Choose at most one fix per Site, in the order of offset and code; bytes are never edited twice in one pass."""
    try:
        judged = _judged(source, settings)
    except ReadError:
        return {}
    groups = [group for _, group in judged.sites]
    about_comments = [[finding] for finding in judged.report.findings if finding.code in {"ADA902", "ADA903"}]
    if any(finding.code == "ADA903" and finding.fix_for(allowed) for [finding] in about_comments):
        # A misspelt suppression is mended first: what it means to silence is not to be rewritten.
        groups = []
    chosen: dict[Choice, tuple[Finding, Fix]] = {}
    taken: list[Span] = []
    for number, group in enumerate([*groups, *about_comments]):
        for finding in sorted(group, key=_order):
            fix = finding.fix_for(allowed)
            if fix is None or (number, finding.code, fix.title) in refused:
                continue
            spans = [edit.span for edit in fix.edits]
            if any(_meets(span, taken) for span in spans):
                continue
            chosen[number, finding.code, fix.title] = (finding, fix)
            for span in spans:
                insort(taken, span)
            break
    return chosen


def _meets(span: Span, taken: Sequence[Span]) -> bool:
    """Tell whether a span overlaps or touches one of several that are sorted and do not overlap."""
    at = bisect_right(taken, span.stop, key=lambda other: other.start)
    return at > 0 and span.start <= taken[at - 1].stop


def _most(items: Sequence[_T], attempt: Callable[[Sequence[_T]], Source | str]) -> _Kept[_T]:
    """Find which items, in their order, may go together: halves of what may not are tried, down to single ones."""
    kept: list[_T] = []
    after: Source | None = None
    dropped: list[tuple[_T, str]] = []
    waiting = [items] if items else []
    while waiting:
        some = waiting.pop()
        outcome = attempt([*kept, *some])
        if not isinstance(outcome, str):
            kept += some
            after = outcome
        elif len(some) == 1:
            dropped.append((some[0], outcome))
        else:
            half = len(some) // 2
            waiting += (some[half:], some[:half])
    return _Kept(kept, after, dropped)


def objection_to(fix: Fix, source: Source, settings: Settings) -> str | None:
    """Say why `fix_source` would not keep the result of one fix alone; None when it would."""
    return _objection(source, source.apply(fix.edits), settings)


def _objection(before: Source, after: Source, settings: Settings) -> str | None:
    """Say why a result may not be kept; None when it may."""
    everything = replace(settings, select=("ALL",), ignore=(), extend_select=(), severity={}, ignored_here=())
    try:
        after.encode()
        found, errors = _found(after, everything)
    except SourceError as error:
        return f"the result could not be written: {error}"
    old, old_errors = _found(before, everything)
    if len(errors) > len(old_errors):
        return f"the result could not be written: {errors[-1]}"
    known = Counter(finding.code for finding in old)
    for finding in found:
        known[finding.code] -= 1
        if known[finding.code] < 0 and finding.severity is not Severity.INFO:
            return f"it would lead to {finding.code} ({finding.name})"
    return None


def _found(source: Source, settings: Settings) -> tuple[list[Finding], list[ReadError]]:
    """List what is wrong in a source, comments that silence it aside, and what of it cannot be read."""
    settings = over(settings, pins_within(source))
    findings: list[Finding] = []
    errors: list[ReadError] = []
    try:
        for text in texts_in(source):
            errors += unread_in(text)
            try:
                findings += _together([_judge(site, settings) for site in read_sites(text)])
            except ReadError as error:
                errors.append(error)
    except ReadError as error:
        errors.append(error)
    return findings, errors


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
    rulebook = load(settings.rule_folders)
    fired = fire(site, rulebook, release_for(site, settings), settings.target_transformers)
    for one in fired:
        rule = one.rule
        if settings.selected(rule.code, rule.name, one.severity):
            fixes = fixes_of(one, fired, rulebook, settings, settings.language) if site.can_be_mended else []
            severity = settings.severity_of(rule.code, rule.name, one.severity)
            finding = replace(one.finding(settings.language), severity=severity, fixes=tuple(fixes))
            yield in_language(finding, settings.language)
    if site.spaces:
        yield from _judge_searched(site, fired, rulebook, settings)


def _judge_searched(site: Site, fired: Sequence[Fired], rulebook: Rulebook, settings: Settings) -> Iterator[Finding]:
    """Judge what a search may choose; such findings have no fixes, which would take the choice away."""
    from adalint.rulebook.corners import found_at_corners

    release, language = release_for(site, settings), settings.language
    for one, found in found_at_corners(site, fired, rulebook, release, settings.target_transformers, language):
        rule = one.rule
        if settings.selected(rule.code, rule.name, one.severity):
            finding = replace(found, severity=settings.severity_of(rule.code, rule.name, one.severity))
            yield in_language(finding, language)


def _unparsable(source: Source, error: ReadError, settings: Settings) -> Iterator[Finding]:
    rule = load().rules["ADA901"]
    if settings.selected(rule.code, rule.name, rule.severity):
        span = source.line_span(source.row_of(error.offset))
        severity = settings.severity_of(rule.code, rule.name, rule.severity)
        message = said("cannot be read: {error}", settings.language, error=error)
        yield Finding(rule.code, rule.name, severity, message, span)
