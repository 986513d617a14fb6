"""Judging one Site: which rules fire, what they say, and with which fixes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from adalint.findings import Finding, Related, Severity
from adalint.plan import RIGHT_LOOP, Plan, assemble
from adalint.releases import in_range
from adalint.rulebook.checks import CHECKS
from adalint.rulebook.templates import first_known, on_one_line
from adalint.site import Surface
from adalint.trace import Undetermined, trace
from adalint.values import UNKNOWN, Expr, Kleene, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from adalint.rulebook.pages import Case, Outcome, Rule, Rulebook
    from adalint.rulebook.templates import Template
    from adalint.schema import Failure
    from adalint.site import Site
    from adalint.source import Span

STAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "construction": "when this is constructed",
        "wrap": "when the model is wrapped",
        "forward": "at the first forward pass",
        "first mask": "at the first step that prunes",
        "step": "at a step of the run",
        "save": "when the adapter is saved",
        "load": "when this is loaded",
    },
    "zh": {
        "construction": "在构造时",
        "wrap": "在包装模型时",
        "forward": "在第一次前向传播时",
        "first mask": "在第一次剪枝时",
        "step": "在训练途中",
        "save": "在保存适配器时",
        "load": "在加载时",
    },
}
"""When an outcome shows, in words."""

MODULES_TRIED: Final = (1, 12, 96)
"""The number of adapted modules is not in a configuration; a step is named only when all of these agree on it."""


@dataclass(frozen=True)
class SiteFacts:
    """What a rule may ask about one Site.

    `found` holds what a named check has found. `outcome` is what the rule says of the target release: the words of a
    finding speak of the trace only where it shows that outcome, not another mistake of the same Site.
    """

    site: Site
    plan: Plan
    release: str
    found: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None
    language: str = "en"
    transformers: str | None = None
    """The target release of transformers; None for the newest."""

    def value(self, name: str) -> Expr:
        """Give a field's effective value, or a fact: `trace.…`, `loop.…`, `site.…`, `found.…`, `outcome.…`."""
        owner, _, fact = name.rpartition(".")
        match owner:
            case "":
                return self.plan.values.get(name, UNKNOWN)
            case "trace":
                return self.traced.get(fact, UNKNOWN) if self._trace_shows_the_outcome else UNKNOWN
            case "outcome":
                return self._outcome_fact(fact)
            case "loop":
                allocates = self.plan.loop.allocates
                return UNKNOWN if allocates is UNKNOWN else Literal(allocates)
            case "found":
                return Literal(self.found.get(fact))
        return self._site_fact(fact)

    @cached_property
    def failing(self) -> Sequence[tuple[str, Failure]]:
        """Failures of single fields that are certain, whatever is unknown; of a saved adapter, those of using it."""
        from adalint.schema import Stage, Use, certain_failures, is_sub_configuration, use_of

        values: dict[str, object] = {}
        for name, expr in self.plan.values.items():
            known = UNKNOWN if not is_sub_configuration(name, expr) else object()
            values[name] = expr.value if isinstance(expr, Literal) else known
        certain = certain_failures(values, self.release)
        if not self.site.saved:
            return list(certain)
        early = (Stage.CONSTRUCTION, Stage.WRAP)
        return [
            (name, failure)
            for name, failure in certain
            if failure.stage in early or (failure.stage is Stage.FORWARD and use_of(name, self.release) is Use.REFUSED)
        ]

    @cached_property
    def masks(self) -> Mapping[str, list[bool]] | None:
        """The masks of all modules of a saved adapter; None where there are none, or one cannot be read."""
        from adalint.adapters.ranks import is_mask

        pattern, init_r = self.value("rank_pattern"), self.value("init_r")
        if not isinstance(pattern, Literal) or not isinstance(pattern.value, dict) or not isinstance(init_r, Literal):
            return None
        masks: dict[str, list[bool]] = pattern.value
        return masks if masks and all(is_mask(mask, init_r.value) for mask in masks.values()) else None

    @cached_property
    def kept(self) -> Mapping[str, int] | None:
        """The ranks that the masks keep, by the path of the module; None where they do not tell."""
        from adalint.adapters.ranks import kept_by_pattern

        return None if self.masks is None else kept_by_pattern(self.masks)

    @property
    def _trace_shows_the_outcome(self) -> bool:
        return self.outcome is None or self.traced.get("exception") == Literal(self.outcome.exception)

    def _outcome_fact(self, fact: str) -> Expr:
        if self.outcome is None or self.outcome.exception is None:
            return UNKNOWN
        return Literal(self.outcome.exception if fact == "exception" else STAGES[self.language][self.outcome.stage])

    def _site_fact(self, fact: str) -> Expr:
        site = self.site
        facts: Mapping[str, Expr] = {
            "serialised": Literal(site.surface is Surface.ADAPTER_CONFIG),
            "saved": Literal(site.saved),
            "may_get_total_step": Literal(site.may_get_total_step),
            "late_total_step": Literal(site.late_total_step),
            "wrapped": Literal(site.wrapped),
            "knows_run_length": Literal(site.run_length is not None),
            "run_length": site.run_length.expr if site.run_length else Literal(None),
            "run_length_file": Literal(site.run_length_file) if site.run_length_file else UNKNOWN,
        }
        return facts[fact]

    def given(self, name: str) -> Kleene:
        """Tell whether a field is written."""
        return self.plan.given.get(name, False)

    def release_is(self, comparison: str, release: str) -> bool:
        """Compare the target release of PEFT."""
        return in_range(self.release, f"{comparison}{release}")

    def written(self, name: str) -> str | None:
        """Give a field as the user wrote it."""
        if name == "site.run_length" and self.site.run_length:
            return self.site.run_length.text
        value = self.site.values.get(name)
        return None if value is None else on_one_line(value.text, self.site.source.kind)

    @cached_property
    def traced(self) -> Mapping[str, Expr]:
        """The trace under the loop that PEFT documents, where the text does not tell another."""
        results = []
        for modules in MODULES_TRIED:
            try:
                results.append(trace(self.plan.assume({"modules": modules, "loop": RIGHT_LOOP})))
            except Undetermined:
                return {}
        agreed: dict[str, Expr] = {}
        for fact in ("exception", "failing_step"):
            seen: set[Any] = {getattr(result, fact) for result in results}
            if len(seen) == 1:
                agreed[fact] = Literal(seen.pop())
        return agreed


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that fires on a Site, before its fixes are made."""

    rule: Rule
    at: tuple[str, ...]
    facts: SiteFacts
    message: tuple[Template, ...]
    message_zh: tuple[Template, ...]
    severity: Severity
    spans: tuple[Span, ...] = ()
    """Where it points, when not at the entries that count for `at`."""

    @property
    def identity(self) -> tuple[str, tuple[str, ...]]:
        """What makes it the same finding in another version of the text."""
        return self.rule.code, self.at

    def finding(self, language: str) -> Finding:
        """Say it, without fixes."""
        site = self.facts.site
        facts = replace(self.facts, outcome=self.outcome(), language=language)
        spans = [*self.spans] or [span for span in (_place(site, name) for name in self.at) if span is not None]
        names = self.at[:1] * len(spans) if self.spans else self.at
        templates = self.message_zh if language == "zh" else self.message
        return Finding(
            code=self.rule.code,
            name=self.rule.name,
            severity=self.severity,
            message=site.in_its_words(first_known(templates, facts, facts.written)),
            span=spans[0] if spans else site.head,
            related=tuple(
                Related(span, f"{site.in_its_words(name)} is here")
                for name, span in zip(names[1:], spans[1:], strict=False)
            ),
        )

    def outcome(self) -> Outcome | None:
        """Give what the page says of the target release, this kind of file and these values."""
        facts = self.facts
        return next(
            (
                outcome
                for outcome in self.rule.outcomes
                if in_range(facts.release, outcome.peft)
                and (not outcome.where or facts.site.where in outcome.where)
                and (outcome.when is None or outcome.when.holds(facts) is True)
            ),
            None,
        )


def _place(site: Site, name: str) -> Span | None:
    value = site.values.get(name)
    return None if value is None else value.key_span


def fire(site: Site, rulebook: Rulebook, release: str, transformers: str | None = None) -> list[Fired]:
    """Find the rules that fire on a Site, one finding for one mistake."""
    facts = SiteFacts(site, assemble(site, release), release, transformers=transformers)
    fired = list(fired_by((rule for rule in rulebook.rules.values() if site.where in rule.where), facts))
    silenced = {code for one in fired for code in one.rule.supersedes}
    here = {(code, name) for one in fired for code in one.rule.supersedes_here for name in one.at}
    return [one for one in fired if one.rule.code not in silenced and (one.rule.code, *one.at[:1]) not in here]


def fired_by(rules: Iterable[Rule], facts: SiteFacts) -> Iterator[Fired]:
    """Fire rules on a Site one after the other, before any of them silences another."""
    return (one for rule in rules for one in _fire_rule(rule, facts))


def _fire_rule(rule: Rule, facts: SiteFacts) -> Iterator[Fired]:
    if rule.check is not None:
        [case] = rule.cases
        for hit in CHECKS[rule.check](facts):
            bound = replace(facts, found=hit.found)
            yield Fired(
                rule, hit.at, bound, case.message, case.message_zh, hit.severity or case.severity, spans=hit.spans
            )
        return
    primaries: set[str] = set()
    for case in rule.cases:
        if case.when.holds(facts) is True:
            at = _written_first(case, facts)
            if at[:1] and at[0] in primaries:
                continue
            primaries.update(at[:1])
            yield Fired(rule, at, facts, case.message, case.message_zh, case.severity)


def _written_first(case: Case, facts: SiteFacts) -> tuple[str, ...]:
    """Point at what is written: a field that only has its default cannot be pointed at."""
    return tuple(name for name in case.at if name in facts.site.values)


def new_mistakes(before: Sequence[Fired], after: Sequence[Fired]) -> list[Fired]:
    """List what a change has brought that was not there, infos aside."""
    known = Counter(one.rule.code for one in before)
    fresh = []
    for one in after:
        known[one.rule.code] -= 1
        if known[one.rule.code] < 0 and one.severity is not Severity.INFO:
            fresh.append(one)
    return fresh
