"""JSON Schemas for editors and validators: of what adalint reads, its settings, a rule page's front matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adalint.findings import Effect, Severity
from adalint.report import FORMATS
from adalint.rulebook.pages import STAGES, STEP_KEYS
from adalint.schema.editors import adapter_schema, experiment_schema
from adalint.settings import INTENTS, LANGUAGES, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Schema = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_SELECTOR: Final[Schema] = {
    "type": "string",
    "pattern": "^(ALL|[A-Z]{2,10}[0-9]{0,5}|[a-z][a-z0-9]*(-[a-z0-9]+)+)$",
}
_STRINGS: Final[Schema] = {"type": "array", "items": {"type": "string"}}
_FLAG: Final[Schema] = {"type": "boolean"}
_RELEASE: Final[Schema] = {
    "type": "string",
    "pattern": r"^[0-9]+(\.[0-9]+){1,3}((a|b|rc|\.dev|\.post)[0-9]+)?$",
}


def _selectors(description: str) -> Schema:
    return {"type": "array", "items": _SELECTOR, "description": f"{description}: codes, names, prefixes, or ALL."}


def _choice(words: tuple[str, ...], description: str) -> Schema:
    return {"enum": list(words), "description": description}


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _table(properties: Mapping[str, Schema], description: str) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
        "description": description,
    }


SETTINGS: Final[Mapping[str, Schema]] = {
    "select": _selectors("Rules to look for"),
    "ignore": _selectors("Rules to leave out"),
    "extend-select": _selectors("Rules to look for, too"),
    "pedantic": _described(_FLAG, "Look for rules of severity info, too."),
    "severity": {
        "type": "object",
        "propertyNames": _SELECTOR,
        "additionalProperties": {"enum": list(SEVERITIES)},
        "description": "The severity of rules, by code, name or prefix.",
    },
    "per-file-ignores": {
        "type": "object",
        "propertyNames": {"pattern": "^[^!]"},
        "additionalProperties": {"type": "array", "items": _SELECTOR},
        "description": "Rules to leave out in files that a pattern of gitignore's language names.",
    },
    "target-peft": _described(_RELEASE, "The release of PEFT to judge by; without it the project's pins decide."),
    "target-transformers": _described(_RELEASE, "The release of transformers to judge by."),
    "target-accelerate": _described(_RELEASE, "The release of accelerate to judge by."),
    "intent": _table(
        {key: {"enum": list(words)} for key, words in INTENTS.items()},
        "What is meant where a configuration can be read in several ways; the fix that does it counts as safe.",
    ),
    "extend-safe-fixes": _selectors("Rules whose fixes count as safe"),
    "unsafe-fixes": _described(_FLAG, "Apply fixes that change training or choose a number, too."),
    "exclude": _described(_STRINGS, "What to leave out instead of the usual folders, in gitignore's language."),
    "extend-exclude": _described(_STRINGS, "What to leave out besides, in gitignore's language."),
    "force-exclude": _described(_FLAG, "Leave out what is excluded even where it is named."),
    "baseline": _described(
        {"type": "string", "minLength": 1},
        "The file of findings that are known and not reported, relative to this file; `adalint baseline` writes it.",
    ),
    "rule-dirs": _described(_STRINGS, "Folders with rule pages of your own, relative to this file."),
    "output-format": _choice(FORMATS, "How findings are shown."),
    "lang": _choice(LANGUAGES, "The language to speak: English or Chinese."),
}
"""The keys of adalint's settings."""


def settings_schema() -> Schema:
    """Describe `adalint.toml`, which is also the table `[tool.adalint]` of a `pyproject.toml`."""
    return {"$schema": _DIALECT, "title": "adalint.toml", **_table(SETTINGS, "Settings of adalint.")}


_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_CONDITION: Final = _described(_TEXT, "An expression over effective values: target_r >= init_r.")
_MESSAGE: Final[Schema] = {
    "anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}],
    "description": "Words with {placeholders}; of several, the first whose values are all known is shown.",
}
_PLACES: Final[Schema] = {"type": "array", "items": {"enum": ["P", "N", "J", "Y", "S", "A"]}}
_SEVERITY: Final[Schema] = {"enum": [str(one) for one in Severity]}

STEP_VALUES: Final[Mapping[str, Schema]] = {"unfolded": _FLAG}
"""What the keys of a step hold that is no text."""

CASE: Final[Mapping[str, Schema]] = {
    "when": _CONDITION,
    "at": _described(_STRINGS, "The fields that a finding points at; the first is primary."),
    "message": _MESSAGE,
    "severity": _SEVERITY,
}
OUTCOME: Final[Mapping[str, Schema]] = {
    "peft": _described(_TEXT, "The range of releases: >=0.15"),
    "stage": _choice(STAGES, "When it shows."),
    "exception": _TEXT,
    "where": _PLACES,
    "when": _CONDITION,
}
FIX: Final[Mapping[str, Schema]] = {
    "title": _TEXT,
    "when": _CONDITION,
    "effect": _choice(tuple(str(one) for one in Effect), "What it does to training."),
    "do": {"type": "array", "items": {"anyOf": []}},
    "where": _PLACES,
    "chooses-number": _described(_FLAG, "It makes up a number, so that it is never safe by itself."),
    "takes-away": _described(_FLAG, "It takes away what was asked for, so that it is never safe by itself."),
    "intent": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": _TEXT},
}
CHINESE: Final[Mapping[str, Schema]] = {
    "summary": _TEXT,
    "message": _MESSAGE,
    "case": {"type": "array", "items": _MESSAGE},
    "fix": {"type": "array", "items": _TEXT},
}
FRONT: Final[Mapping[str, Schema]] = {
    "code": {"type": "string", "pattern": "^[A-Z]{2,10}[0-9]{1,5}$"},
    "name": {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)+$"},
    "summary": _described(_TEXT, "One line without a full stop."),
    "severity": _SEVERITY,
    "where": _described(_PLACES, "P Python, N notebook, J JSON, Y YAML, S shell, A saved adapter."),
    **{key: CASE[key] for key in ("when", "at", "message")},
    "check": _described(_TEXT, "A check of adalint's own instead of a condition."),
    "case": {"type": "array", "items": {}, "minItems": 1},
    "supersedes": _described(_STRINGS, "Codes of rules that say the same mistake less well."),
    "supersedes-here": _described(_STRINGS, "The same, for findings at the same field."),
    "outcome": {"type": "array", "items": {}},
    "fix": {"type": "array", "items": {}},
    "zh": {},
}
"""The keys of a page's front matter and of its tables."""


def rules_schema() -> Schema:
    """Describe the front matter of a rule page, which stands in TOML between two lines of `+++`."""
    case = {**_table(CASE, "One way in which the rule fires."), "required": ["message"]}
    outcome = {**_table(OUTCOME, "What PEFT does in a range of releases."), "required": ["peft", "stage"]}
    steps = [
        {
            **_table({key: STEP_VALUES.get(key, _TEXT) for key in keys.split()}, f"The step `{kind}`."),
            "required": [kind],
        }
        for kind, keys in STEP_KEYS.items()
    ]
    fix = {
        **_table({**FIX, "do": {"type": "array", "items": {"anyOf": steps}}}, "One fix; the best comes first."),
        "required": ["title", "effect"],
    }
    tables = {
        "case": {**FRONT["case"], "items": case},
        "outcome": {**FRONT["outcome"], "items": outcome},
        "fix": {**FRONT["fix"], "items": fix},
        "zh": _table(CHINESE, "The same words in Simplified Chinese, in the same order."),
    }
    return {
        "$schema": _DIALECT,
        "title": "Front matter of a rule page",
        **_table({**FRONT, **tables}, "A rule of adalint, or of your own in a folder of `rule-dirs`."),
        "required": ["code", "name", "summary", "severity", "where"],
        "oneOf": [
            {"anyOf": [{"required": ["when"]}, {"required": ["case"]}], "properties": {"check": False}},
            {"required": ["check"], "properties": {"when": False, "case": False}},
        ],
    }


def dialect_schema() -> Schema:
    """Make the schema of a framework's record."""
    from adalint.dialects.record_schema import record_schema

    return record_schema()


SCHEMAS: Final[Mapping[str, Callable[[str], Schema]]] = {
    "adapter": adapter_schema,
    "experiment": experiment_schema,
    "settings": lambda _: settings_schema(),
    "rules": lambda _: rules_schema(),
    "dialect": lambda _: dialect_schema(),
}
"""The schemas by the name under which the command line prints them; each is given the target release of PEFT."""
