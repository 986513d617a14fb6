"""Loading rule pages: TOML front matter between `+++`, then prose.

Only the front matter is read here; the body is read when somebody asks for it. Pages are data: whatever they say is
checked against the language, the stages and the operations, and an unknown key is an error.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adalint.findings import Effect, Severity
from adalint.rulebook.language import Condition, LanguageError, parse
from adalint.rulebook.templates import Template, parse_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STAGES = ("construction", "wrap", "forward", "first mask", "step", "save", "load", "silent")
FENCE = "+++"


class PageError(ValueError):
    """A rule page that cannot be used; the message names the page and what is wrong."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What PEFT does in a range of releases: at which stage it shows, and with which exception."""

    peft: str
    stage: str
    exception: str | None = None
    where: tuple[str, ...] = ()
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a rule fires: the condition, the fields that it points at, and the words."""

    when: Condition
    at: tuple[str, ...]
    message: tuple[Template, ...]
    message_zh: tuple[Template, ...]
    severity: Severity


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a fix as the page writes it, not yet bound to a configuration."""

    kind: str
    field: str
    value: Condition | None = None
    other: str | None = None
    text: Template | None = None
    when: Condition | None = None
    unfolded: bool = False
    """Write the value as an expression even where all its numbers are known."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One fix as the page writes it."""

    title: Template
    title_zh: Template
    effect: Effect
    when: Condition | None
    steps: tuple[Step, ...]
    where: tuple[str, ...]
    chooses_number: bool
    takes_away: bool
    intent: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, as its page has it."""

    code: str
    name: str
    summary: str
    summary_zh: str
    severity: Severity
    where: tuple[str, ...]
    cases: tuple[Case, ...]
    check: str | None
    supersedes: tuple[str, ...]
    supersedes_here: tuple[str, ...]
    """Rules that it silences only where they point at a field that it points at, too."""
    outcomes: tuple[Outcome, ...]
    fixes: tuple[Recipe, ...]
    path: Path

    @property
    def body(self) -> str:
        """The prose of the page, without its front matter."""
        return _split(self.path)[1]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules by code, in the order of their codes."""

    rules: Mapping[str, Rule]

    def find(self, handle: str) -> Rule | None:
        """Find a rule by its code or its name."""
        wanted = handle.strip()
        by_code = self.rules.get(wanted.upper())
        return by_code or next((rule for rule in self.rules.values() if rule.name == wanted.lower()), None)


def rules_directory() -> Path:
    """Tell where the pages lie: inside the installed package, or in the checkout that it is run from."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "_rules"
    return shipped if shipped.is_dir() else package.parent / "rules"


@cache
def load(folders: tuple[str, ...] = ()) -> Rulebook:
    """Load the pages that ship with adalint, and those of a team's own folders.

    Raises:
        PageError: a page is missing, broken, or says something that the format does not know.
    """
    if folders:
        return _with_team_pages(load(), folders)
    directory = rules_directory()
    rules = [load_page(path) for path in sorted(directory.glob("ADA*.md"))]
    if not rules:
        raise PageError(f"no rule pages in {directory}; reinstall adalint")
    return Rulebook({rule.code: rule for rule in rules})


def _with_team_pages(shipped: Rulebook, folders: Iterable[str]) -> Rulebook:
    rules = dict(shipped.rules)
    for folder in folders:
        try:
            pages = [path for path in sorted(Path(folder).iterdir()) if path.suffix == ".md"]
        except OSError as error:
            raise PageError(f"{_shown(Path(folder))}: {error.strerror}") from None
        for path in pages:
            rule = load_page(path, of_team=True)
            for other in rules.values():
                if rule.code == other.code or rule.name == other.name:
                    there = f"{other.code} {other.name} is there already"
                    raise PageError(f"{_shown(path)}: {there} ({_shown(other.path)})")
            rules[rule.code] = rule
    book = Rulebook(rules)
    for rule in rules.values():
        for code in rule.supersedes:
            if code not in rules:
                raise PageError(f"{_shown(rule.path)}: `supersedes` names {code!r}, which is no rule")
    return book


def load_page(path: Path, *, of_team: bool = False) -> Rule:
    """Load one page; a team's own may leave out `outcome` and `zh`, and has its reasons in `when`, never in a `check`.

    Raises:
        PageError: it does not follow the format; the message names the page and, where there is one, the line.
    """
    shown = _shown(path) if of_team else path.name
    front, _ = _split(path, shown)
    try:
        table = tomllib.loads(front)
        return _rule(_completed(table) if of_team else table, path)
    except (tomllib.TOMLDecodeError, LanguageError, KeyError, TypeError, ValueError) as error:
        reason = f"missing key {error}" if isinstance(error, KeyError) else str(error)
        row = None if isinstance(error, tomllib.TOMLDecodeError) else _row_of(front, reason)
        raise PageError(f"{shown}: {'' if row is None else f'line {row}: '}{reason}") from None


_TEAM_CODE = re.compile(r"(?!ADA)[A-Z]{2,10}\d{1,5}")
_TEAM_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


def _completed(front: dict[str, Any]) -> dict[str, Any]:
    """Check what a team's page may say, and put in what it may leave out."""
    if "check" in front:
        raise ValueError("`check` is not for pages of your own: they are data, say it with `when`")
    if not _TEAM_CODE.fullmatch(front["code"]):
        raise ValueError(f"code {front['code']!r}: 2 to 10 capitals and 1 to 5 digits are wanted, and not ADA in front")
    if not _TEAM_NAME.fullmatch(front["name"]):
        raise ValueError(f"name {front['name']!r}: words in lower case with hyphens between them are wanted")
    words: dict[str, Any] = {"summary": front["summary"]}
    if "case" in front:
        words["case"] = [case["message"] for case in front["case"]]
    elif "message" in front:
        words["message"] = front["message"]
    words["fix"] = [fix["title"] for fix in front.get("fix", [])]
    outcome = [{"peft": ">=0.3", "stage": "silent"}]
    return {"outcome": outcome, **front, "zh": {**words, **front.get("zh", {})}}


def place_in(path: Path, word: str) -> str:
    """Say where a page of a team's own uses a word."""
    row = _row_of(_split(path)[0], f"'{word}'")
    return _shown(path) if row is None else f"{_shown(path)}: line {row}"


def _row_of(front: str, reason: str) -> int | None:
    """Find the line that a complaint quotes; the front matter starts on the page's first line."""
    for quoted in re.findall(r"'([^']+)'|\"([^\"]+)\"", reason):
        word = quoted[0] or quoted[1]
        for row, line in enumerate(front.splitlines(), start=1):
            if word in line:
                return row
    return None


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _split(path: Path, shown: str | None = None) -> tuple[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PageError(f"{shown or path.name}: cannot be read: {error}") from None
    parts = re.split(rf"^{re.escape(FENCE)}$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise PageError(f"{shown or path.name}: the front matter must stand between two lines of {FENCE}")
    return parts[1], parts[2].lstrip("\n")


def _rule(front: dict[str, Any], path: Path) -> Rule:
    _only(
        front,
        "code name summary severity where when message at check case supersedes supersedes-here outcome fix zh",
        "the front matter",
    )
    zh = front["zh"]
    _only(zh, "summary message case fix", "[zh]")
    if ("check" in front) == ("when" in front or "case" in front):
        raise ValueError("exactly one of `when` (or [[case]]) and `check` must be given")
    if path.name != f"{front['code']}-{front['name']}.md":
        raise ValueError(f"the file must be called {front['code']}-{front['name']}.md")
    fixes = front.get("fix", [])
    titles_zh = zh.get("fix", [])
    if len(titles_zh) != len(fixes):
        raise ValueError(f"[zh] must translate all {len(fixes)} fix titles, in order")
    return Rule(
        code=front["code"],
        name=front["name"],
        summary=front["summary"],
        summary_zh=zh["summary"],
        severity=Severity(front["severity"]),
        where=tuple(front["where"]),
        cases=tuple(_cases(front, zh)),
        check=front.get("check"),
        supersedes=tuple(front.get("supersedes", ())),
        supersedes_here=tuple(front.get("supersedes-here", ())),
        outcomes=tuple(_outcome(outcome) for outcome in front["outcome"]),
        fixes=tuple(_recipe(fix, title) for fix, title in zip(fixes, titles_zh, strict=True)),
        path=path,
    )


def _cases(front: dict[str, Any], zh: dict[str, Any]) -> Iterable[Case]:
    cases = front.get("case") or [{key: front[key] for key in ("when", "at", "message") if key in front}]
    messages_zh = zh.get("case") or [zh.get("message")]
    if len(messages_zh) != len(cases):
        raise ValueError(f"[zh] must translate all {len(cases)} cases, in order")
    for case, message_zh in zip(cases, messages_zh, strict=True):
        _only(case, "when at message severity", "[[case]]")
        yield Case(
            when=parse(case.get("when", "True")),
            at=tuple(case.get("at", ())),
            message=_templates(case["message"]),
            message_zh=_templates(message_zh),
            severity=Severity(case.get("severity", front["severity"])),
        )


def _templates(text: Any) -> tuple[Template, ...]:
    return tuple(parse_template(one) for one in ([text] if isinstance(text, str) else text))


def _outcome(outcome: dict[str, Any]) -> Outcome:
    _only(outcome, "peft stage exception where when", "[[outcome]]")
    if outcome["stage"] not in STAGES:
        raise ValueError(f"stage {outcome['stage']!r} is none of {', '.join(STAGES)}")
    return Outcome(
        peft=outcome["peft"],
        stage=outcome["stage"],
        exception=outcome.get("exception"),
        where=tuple(outcome.get("where", ())),
        when=_optional(outcome.get("when")),
    )


def _optional(text: str | None) -> Condition | None:
    return None if text is None else parse(text)


def _recipe(fix: dict[str, Any], title_zh: str) -> Recipe:
    _only(fix, "title when effect do where chooses-number takes-away intent", "[[fix]]")
    intent = fix.get("intent")
    return Recipe(
        title=parse_template(fix["title"]),
        title_zh=parse_template(title_zh),
        effect=Effect(fix["effect"]),
        when=_optional(fix.get("when")),
        steps=tuple(_step(step) for step in fix.get("do", ())),
        where=tuple(fix.get("where", ())),
        chooses_number=fix.get("chooses-number", False),
        takes_away=fix.get("takes-away", False),
        intent=None if intent is None else next(iter(intent.items())),
    )


STEP_KEYS = {
    "set": "set to text after when unfolded",
    "remove": "remove when",
    "remove-earlier": "remove-earlier when",
    "drop": "drop items when",
    "rename": "rename to when",
    "swap": "swap with when",
    "note": "note text when",
    "hook": "hook when",
    "callback": "callback when",
    "loop": "loop when",
}


def _step(step: dict[str, Any]) -> Step:
    kind = next((kind for kind in STEP_KEYS if kind in step), None)
    if kind is None:
        raise ValueError(f"a step of a fix is one of {', '.join(STEP_KEYS)}, not {step}")
    _only(step, STEP_KEYS[kind], f"a {kind} step")
    return Step(
        kind=kind,
        field=step[kind],
        value=parse(step["to"]) if kind == "set" else None,
        other={
            "rename": step.get("to"),
            "swap": step.get("with"),
            "set": step.get("after"),
            "drop": step.get("items"),
        }.get(kind),
        text=parse_template(step["text"]) if kind == "note" or "text" in step else None,
        when=_optional(step.get("when")),
        unfolded=step.get("unfolded", False),
    )


def _only(table: dict[str, Any], allowed: str, place: str) -> None:
    unknown = sorted(set(table) - set(allowed.split()))
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r} in {place}; allowed: {allowed}")
