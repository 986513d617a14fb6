"""Comments that silence findings: `# adalint: ignore[name, CODE]` and `# adalint: ignore-file[...]`.

Between the brackets stand the words that `--select` takes, too: codes, names, prefixes, `ALL`. A comment behind code
covers its line, one on a line of its own covers what stands directly below. A comment that names no rule silences
nothing: what it would hide tomorrow nobody has looked at.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from adalint.findings import Finding, Fix, Safety
from adalint.readers.tree import Offsets
from adalint.rulebook.pages import load
from adalint.rulebook.templates import first_known
from adalint.settings import stands_for
from adalint.source import Edit, Kind, Span
from adalint.values import UNKNOWN, Expr, Kleene, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from adalint.rulebook.pages import Rule, Rulebook
    from adalint.settings import Settings
    from adalint.source import Source

UNUSED: Final = "ADA902"
UNRECOGNISED: Final = "ADA903"
OWN_CODES: Final = frozenset({UNUSED, UNRECOGNISED})
"""The rules about suppressions themselves; their findings come from here."""

MARK: Final = "adalint"
"""What every suppression holds, in small letters."""

_DIRECTIVE: Final = re.compile(
    r"(?:#|<!--)[ \t]*adalint[ \t]*:[ \t]*(?P<verb>[\w-]+)"
    r"(?P<list>[ \t]*\[(?P<words>[^\[\]#]*)(?P<close>\])?)?",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\s,]+")
_VERBS: Final = frozenset({"ignore", "ignore-file"})
_MISTAKEN: Final = frozenset(
    {
        *("ignore-line", "ignore-next-line", "ignore-next", "noqa", "off", "skip", "skip-file"),
        *("disable", "disable-line", "disable-next-line", "disable-next", "disable-file"),
    }
)
"""What other tools call it; anything else behind `adalint:` is prose."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, and the bytes that a suppression in it covers: none when nothing stands below it."""

    span: Span
    own_line: bool
    covers: Span | None


@dataclass(frozen=True, slots=True)
class Word:
    """A word between the brackets, where it stands."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Directive:
    """A suppression as it is written; `complaint` says what makes it silence nothing, None when it is well formed."""

    comment: Comment
    span: Span
    verb: str
    words: tuple[Word, ...]
    complaint: str | None = None

    @property
    def of_file(self) -> bool:
        """Whether it is about the whole file."""
        return "file" in self.verb


def reaches(comment: Comment, finding: Finding, source: Source) -> bool:
    """Tell whether a comment covers a finding: from behind its lines, or from directly above."""
    if comment.covers is None:
        return False
    if comment.own_line:
        return comment.covers.start <= finding.span.start < max(comment.covers.stop, comment.covers.start + 1)
    row = source.row_of(comment.span.start)
    last = max(finding.span.start, finding.span.stop - 1)
    return source.row_of(finding.span.start) <= row <= source.row_of(last)


@dataclass(frozen=True, slots=True)
class Sifted:
    """Findings parted by the comments of their source: what is left to report, and what is silenced."""

    kept: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]


def sift(source: Source, findings: Sequence[Finding], settings: Settings, *, parsed: bool = True) -> Sifted:
    """Part the findings of a source, and add those about its suppressions: unused ones and ones that name no rule.

    `parsed` is False when the source could not be read. Then only `ignore-file` counts, and only in the comments in
    front of everything else, which are comments whatever follows.
    """
    book = load(settings.rule_folders)
    directives = directives_of(source) if parsed else _at_the_head(source)
    rows = Rows(source, directives)
    used: set[Span] = set()
    kept, suppressed = _part(findings, rows, used)
    if parsed:
        complaints = _unrecognised(rows, book, settings, kept)
        for found in (complaints, _unused(rows, used, book, settings)):
            left, silenced = _part(found, rows, used)
            kept += left
            suppressed += silenced
    return Sifted(tuple(kept), tuple(suppressed))


def directives_of(source: Source) -> list[Directive]:
    """Find the suppressions of a text that can be read; words in strings are none."""
    if source.kind is Kind.PYTHON:
        from adalint.readers.python_comments import comments_of
    elif source.kind is Kind.YAML:
        from adalint.readers.yaml_comments import comments_of
    elif source.kind is Kind.MARKDOWN:
        from adalint.readers.markdown_reader import comments_of
    elif source.kind is Kind.SHELL:
        from adalint.readers.shell_comments import comments_of
    else:
        return []
    return [directive for comment in comments_of(source) for directive in _directives_in(source, comment)]


def _at_the_head(source: Source) -> list[Directive]:
    found: list[Directive] = []
    for row in range(1, len(source.line_starts) + 1):
        line = source.line_span(row)
        text = source.slice(line)
        if text.strip() and not text.lstrip().startswith("#"):
            break
        found += _directives_in(source, Comment(line, own_line=True, covers=None))
    return [directive for directive in found if directive.of_file]


def _directives_in(source: Source, comment: Comment) -> Iterator[Directive]:
    text = source.slice(comment.span)
    offset = Offsets(text)

    def span(start: int, stop: int) -> Span:
        return Span(comment.span.start + offset(start), comment.span.start + offset(stop))

    for match in _DIRECTIVE.finditer(text):
        verb = match["verb"].lower()
        if verb not in _VERBS and verb not in _MISTAKEN:
            continue
        start = match.start("words")
        words = tuple(
            Word(word.group(), span(start + word.start(), start + word.end()))
            for word in _WORD.finditer(match["words"] or "")
        )
        end = match.end() if match["close"] else match.end("verb")
        complaint = None
        if verb not in _VERBS or not match["close"] or not words:
            complaint = text[match.start() : match.end()].rstrip()
        yield Directive(comment, span(match.start(), end), verb, words if match["close"] else (), complaint)


class Rows:
    """The suppressions of a source, found by the rows that they may cover: there may be thousands of them."""

    def __init__(self, source: Source, directives: Sequence[Directive]) -> None:
        self.source = source
        self.directives = directives
        self.of_file = [directive for directive in directives if directive.of_file]
        self.by_row: dict[int, list[Directive]] = defaultdict(list)
        self._words: dict[tuple[Span, str, str], list[Span]] = {}
        for directive in directives:
            covers = directive.comment.covers
            if not directive.of_file and covers is not None:
                for row in range(source.row_of(covers.start), source.row_of(covers.stop) + 1):
                    self.by_row[row].append(directive)

    def around(self, finding: Finding) -> Iterator[Directive]:
        """Give the suppressions that cover a finding, those that name no rule included."""
        yield from self.of_file
        first, last = self.source.row_of(finding.span.start), self.source.row_of(finding.span.stop)
        found = {one.span: one for row in range(first, last + 1) for one in self.by_row.get(row, ())}
        yield from (one for one in found.values() if reaches(one.comment, finding, self.source))

    def words_for(self, directive: Directive, finding: Finding) -> list[Span]:
        """Give the words of a suppression that stand for the rule of a finding, looked up once for each rule."""
        key = directive.span, finding.code, finding.name
        if key not in self._words:
            self._words[key] = [
                word.span for word in directive.words if stands_for(word.text, finding.code, finding.name)
            ]
        return self._words[key]


def _part(findings: Iterable[Finding], rows: Rows, used: set[Span]) -> tuple[list[Finding], list[Finding]]:
    kept: list[Finding] = []
    suppressed: list[Finding] = []
    for finding in findings:
        hits = {
            span
            for directive in rows.around(finding)
            if directive.complaint is None
            for span in rows.words_for(directive, finding)
        }
        used |= hits
        (suppressed if hits else kept).append(finding)
    return kept, suppressed


# The findings about suppressions themselves.


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the pages of the two rules may ask: what was found."""

    found: Mapping[str, str]

    def value(self, name: str) -> Expr:
        """Give `found.…`."""
        return Literal(self.found.get(name.removeprefix("found.")))

    def given(self, _: str) -> Kleene:
        """Answer that nothing is known of fields here."""
        return UNKNOWN

    def release_is(self, _: str, __: str) -> bool:
        """Answer that releases do not matter here."""
        return False


def _say(rule: Rule, found: Mapping[str, str], span: Span, settings: Settings, edit: Edit | None) -> Finding:
    """Make a finding in the words of its page; `edit` is the fix, which keeps training as it is."""
    facts = _Facts(found)
    chinese = settings.language == "zh"
    [case] = rule.cases
    fixes: tuple[Fix, ...] = ()
    if edit is not None:
        [recipe] = rule.fixes
        title = first_known([recipe.title_zh if chinese else recipe.title], facts, lambda _: None)
        fixes = (Fix(title, recipe.effect, Safety.SAFE, (edit,)),)
    message = first_known(case.message_zh if chinese else case.message, facts, lambda _: None)
    severity = settings.severity_of(rule.code, rule.name, rule.severity)
    return Finding(rule.code, rule.name, severity, message, span, fixes=fixes)


def _unused(rows: Rows, used: set[Span], book: Rulebook, settings: Settings) -> Iterator[Finding]:
    """Report words that silence nothing, although every rule that they stand for is looked for."""
    rule = book.rules[UNUSED]
    if not settings.selected(rule.code, rule.name, rule.severity):
        return
    could_be_used = cache(partial(_could_be_used, book=book, settings=settings))
    for directive in rows.directives:
        idle = [word for word in directive.words if word.span not in used and could_be_used(word.text)]
        if directive.complaint is None and idle:
            whole = len(idle) == len(directive.words)
            found = {"rules": ", ".join(word.text for word in idle)}
            span = directive.span if whole else idle[0].span
            yield _say(rule, found, span, settings, _without(rows.source, directive, idle))


def _could_be_used(word: str, book: Rulebook, settings: Settings) -> bool:
    meant = [rule for rule in book.rules.values() if stands_for(word, rule.code, rule.name)]
    return bool(meant) and all(
        rule.code not in OWN_CODES and settings.selected(rule.code, rule.name, severity)
        for rule in meant
        for severity in {rule.severity, *(case.severity for case in rule.cases)}
    )


def _without(source: Source, directive: Directive, idle: Sequence[Word]) -> Edit:
    """Take words out of a suppression, and the suppression away when no word is left; other remarks stay."""
    gone = {word.span for word in idle}
    if len(gone) < len(directive.words):
        words = directive.words
        first = bisect_left(words, idle[0].span, key=lambda word: word.span)
        last = bisect_left(words, idle[-1].span, key=lambda word: word.span)
        between = [word.text for word in words[first:last] if word.span not in gone]
        if first:
            return Edit(
                Span(words[first - 1].span.stop, words[last].span.stop), "".join(f", {word}" for word in between)
            )
        end = words[last + 1].span.start if last + 1 < len(words) else words[last].span.stop
        text = ", ".join(between)
        return Edit(Span(words[0].span.start, end), f"{text}, " if text and last + 1 < len(words) else text)
    comment, span = directive.comment.span, directive.span
    if source.kind is Kind.MARKDOWN:
        return _without_html(source, comment, span)
    before = source.slice(Span(comment.start, span.start)).rstrip()
    after = source.slice(Span(span.stop, comment.stop))
    if before:
        return Edit(Span(comment.start + len(before.encode()), span.stop), "")
    if after.strip():
        remark = after.lstrip(" \t;,:.-–—")
        text = "" if remark.startswith("#") else "# "
        return Edit(Span(span.start, comment.stop - len(remark.encode())), text if remark else "")
    line = source.line_span(source.row_of(comment.start))
    if directive.comment.own_line:
        return Edit(Span(line.start, _next_line(source, line)), "")
    code = source.content[line.start : span.start].rstrip(b" \t")
    return Edit(Span(line.start + len(code), span.stop), "")


def _without_html(source: Source, comment: Span, span: Span) -> Edit:
    """Take a suppression out of an HTML comment, and the comment away when nothing else stands in it or on its line."""
    if source.slice(Span(span.stop, comment.stop)).strip() != "-->" or span.start != comment.start:
        return Edit(Span(span.start + len("<!--"), span.stop) if span.start == comment.start else span, "")
    line = source.line_span(source.row_of(comment.start))
    beside = (Span(line.start, comment.start), Span(comment.stop, max(line.stop, comment.stop)))
    alone = not any(source.slice(one).strip() for one in beside)
    return Edit(Span(line.start, _next_line(source, line)) if alone else comment, "")


def _next_line(source: Source, line: Span) -> int:
    row = source.row_of(line.start)
    return source.line_starts[row] if row < len(source.line_starts) else len(source.content)


def _unrecognised(rows: Rows, book: Rulebook, settings: Settings, kept: Sequence[Finding]) -> Iterator[Finding]:
    """Report words that stand for no rule, and suppressions that name none."""
    rule = book.rules[UNRECOGNISED]
    if not settings.selected(rule.code, rule.name, rule.severity):
        return
    wanted: dict[Span, set[str]] = defaultdict(set)
    for finding in kept:
        for directive in rows.around(finding):
            wanted[directive.span].add(finding.name)
    nearest = cache(partial(_nearest, book=book))
    stands = cache(lambda word: any(stands_for(word, one.code, one.name) for one in book.rules.values()))
    for directive in rows.directives:
        written = {word.text for word in directive.words}
        if directive.complaint is not None:
            verb = "ignore-file" if directive.of_file else "ignore"
            names = ", ".join(sorted(wanted.get(directive.span, {"NAME"})))
            instead = f"adalint: {verb}[{names}]"
            shown = f"<!-- {instead} -->" if rows.source.kind is Kind.MARKDOWN else f"# {instead}"
            found = {"form": directive.complaint, "instead": shown}
            yield _say(rule, found, directive.span, settings, None)
            continue
        for word in directive.words:
            if stands(word.text):
                continue
            found = {"word": word.text}
            edit = None
            if (meant := nearest(word.text)) is not None:
                found["meant"] = meant
                again = meant in written
                edit = _without(rows.source, directive, [word]) if again else Edit(word.span, meant)
            yield _say(rule, found, word.span, settings, edit)


def _nearest(word: str, book: Rulebook) -> str | None:
    """Give the one name or code that a word is a slip of: 2 letters apart at most, for a code only the case."""
    from adalint.schema.distance import edit_distance

    if word.upper() in book.rules:
        return word.upper()
    wanted = word.lower().replace("_", "-")
    near = sorted((edit_distance(wanted, rule.name, 2), rule.name) for rule in book.rules.values())
    first, second = near[0], near[1] if len(near) > 1 else (3, "")
    return first[1] if first[0] <= 2 and first[0] < second[0] else None
