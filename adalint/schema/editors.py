"""JSON Schemas of the files themselves, for editors: `adapter_config.json`, and experiments in YAML or JSON.

An editor completes and validates by them while a file is typed, so that they reject only what adalint reports. What
depends on several fields, such as `target_r < init_r`, is beyond a schema, and a `total_step` that an experiment leaves
out may be filled in by the user's own code. The dialect is draft-07, the newest that VS Code and yaml-language-server
support in full.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.mapping_signs import (
    DISCRIMINATOR,
    FILLED_IN,
    FINISHED,
    LORA_FIELDS,
    MEASURED,
    MEASUREMENTS,
    METHODS,
    NUMBERS,
    OFF,
    ON,
    OWN_FIELDS,
    RECORD_KEYS,
    RECORD_PARENTS,
    WHOLE_MODEL,
)
from adalint.releases import NEWEST, in_range
from adalint.schema import ALIASES, FIELDS, Use, fields_of, use_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.schema import FieldFacts

Schema = dict[str, Any]

DRAFT_07: Final = "http://json-schema.org/draft-07/schema#"
_BOUNDS: Final = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
_MAY_BE_FRACTIONS: Final = frozenset({"target_r", "deltaT"})
"""Whole numbers of which PEFT calculates with fractions all the same."""

_PLACEHOLDER: Final = rf"^$|{FILLED_IN.pattern}|^\?\?\?$"
_HIDDEN: Final[Schema] = {"doNotSuggest": True}
_LABEL: Final = "^[A-Za-z\u0080-\uffff]"
_MATERIAL: Final = r"(\..*|x-.*|_.*|<<|([\w-]*[_-])?(base|defaults?|common|shared|templates?|anchors?)([_-][\w-]*)?)"
"""Names under which people keep material for merging, no configuration."""


def adapter_schema(release: str = NEWEST) -> Schema:
    """Describe `adapter_config.json` as a release of PEFT reads it; adapters of other methods are let through.

    A saved adapter (`inference_mode: true`) is held to what matters for loading only.
    """
    fields = _properties(release)
    numbers = _no_text(release)
    unsaved: Schema = {
        "properties": {name: {**one, **numbers.get(name, {})} for name, one in fields.items() if name != "peft_type"}
    }
    if in_range(release, ">=0.15"):
        unsaved["required"] = ["total_step"]
    return {
        "$schema": DRAFT_07,
        "title": "adapter_config.json of an adapter of PEFT",
        "description": f"AdaLoRA's fields as PEFT {release} reads them; adapters of other methods are let through.",
        "type": "object",
        "properties": {"peft_type": _peft_type(release)},
        "if": _is({"peft_type": {"type": "string", "pattern": f"^{_any_case('adalora')}$"}}),
        "then": {
            "properties": {"peft_type": {"const": "ADALORA"}, **_described_only(fields)},
            "if": _is({"inference_mode": {"const": True}}),
            "else": unsaved,
        },
    }


def experiment_schema(release: str = NEWEST) -> Schema:
    """Describe any YAML or JSON in which AdaLoRA is configured somewhere; the rest of the document is let through."""
    fields = _properties(release)
    here, below, numbers = ({"$ref": f"#/definitions/{name}"} for name in ("node", "adalora", "numbers"))
    within = {
        "allOf": [
            {"if": _says_adalora(), "then": {"allOf": [below, numbers]}},
            # What takes the class from `class_path` makes numbers of text.
            {
                "if": _is_class("class_path"),
                "then": {"properties": {"init_args": {"if": {"type": "object", "not": _left_alone()}, "then": below}}},
            },
        ],
        "patternProperties": {
            f"^{_any_case('adalora')}$": {"allOf": [here, {"if": _is_block(), "then": {"allOf": [below, numbers]}}]},
            # What only a pattern matches is not looked into.
            f"^({_any_case(f'{_MATERIAL}|{RECORD_PARENTS.pattern}')})$": True,
        },
        "additionalProperties": here,
    }
    return {
        "$schema": DRAFT_07,
        "title": "An experiment that may use AdaLoRA",
        "description": f"AdaLoRA's fields as PEFT {release} reads them, wherever they stand; all else is let through.",
        **here,
        "definitions": {
            "adalora": {"title": "AdaLoRA", "properties": fields},
            "numbers": {"properties": _no_text(release)},
            "node": {
                "if": {"type": "array"},
                "then": {"items": here},
                "else": {"if": _left_alone(), "else": within},
            },
        },
    }


def _properties(release: str) -> dict[str, Schema]:
    fields = {name: _field(FIELDS[name], release) for name in FIELDS if name in fields_of(release)}
    fields["peft_type"] = _peft_type(release)
    strangers = {alias: _stranger(field) for alias, field in ALIASES.items() if alias not in fields}
    return {**fields, **strangers}


def _described_only(fields: dict[str, Schema]) -> dict[str, Schema]:
    words = ("title", "description", "markdownDescription", "default", "doNotSuggest")
    return {
        name: {word: one[word] for word in words if word in one} for name, one in fields.items() if name != "peft_type"
    }


def _peft_type(release: str) -> Schema:
    doc = FIELDS["peft_type"].facts.doc.replace("\n", " ")
    return {
        "title": "peft_type",
        "description": doc,
        "markdownDescription": doc,
        "defaultSnippets": [{"label": "ADALORA", "body": "ADALORA", "description": f"AdaLoRA, as in PEFT {release}"}],
    }


def _field(field: FieldFacts, release: str) -> Schema:
    use = use_of(field.name, release)
    doc = field.facts.doc.replace("\n", " ")
    described: Schema = {
        "title": field.name,
        "description": doc,
        "markdownDescription": _markdown(field, release),
        "default": field.default,
    }
    if field.name == "total_step":  # its default is none at all
        del described["default"]
    if use in {Use.HONOURED, Use.REFUSED} and field.name != "init_lora_weights":
        described |= _constraint(field, release)
    if field.kinds == {"bool"}:
        described["examples"] = [True, False]
    if use in {Use.IGNORED, Use.REFUSED, Use.OUTPUT}:
        described["doNotSuggest"] = True
    if use is Use.IGNORED:
        empty: list[Any] = [None, False, 0, "", [], {}]
        usual = [*empty, *([field.default] if field.default not in empty else [])]
        words = f"AdaLoRA ignores {field.name}."
        described |= {
            "if": {"not": {"enum": usual}},
            "then": {"deprecated": True, "deprecationMessage": words},
        }
    return described


def _constraint(field: FieldFacts, release: str) -> Schema:
    """Say what values a field takes; one that a template, the environment or Hydra fills in may be any."""
    if field.choices and _minds_words(field, release):
        words = [*field.choices, *([None] if field.nullable else [])]
        return {"anyOf": [{"enum": words}, {"type": "string", "pattern": _PLACEHOLDER}]}
    if not field.numeric:
        return {}
    bounds = field.facts.bounds
    limits = {} if bounds is None else {word: getattr(bounds, ours) for ours, word in _BOUNDS.items()}
    kind = "number" if "float" in field.kinds or field.name in _MAY_BE_FRACTIONS else "integer"
    if field.name == "deltaT":  # a part of a step is as good as one
        limits = {"exclusiveMinimum": 0}
    return {
        "type": [kind, "string", "boolean"],
        **{word: limit for word, limit in limits.items() if limit is not None},
    }


def _minds_words(field: FieldFacts, release: str) -> bool:
    """Tell whether a release refuses a word that is none of the choices; a list or dict fails by its type."""
    refusals = (failure for failure in field.facts.failures if failure.exception != "TypeError")
    return any(in_range(release, failure.peft) for failure in refusals)


def _no_text(release: str) -> dict[str, Schema]:
    """Refuse text where PEFT calculates; a placeholder is none."""
    return {name: {"pattern": _PLACEHOLDER} for name in sorted(NUMBERS) if use_of(name, release) is Use.HONOURED}


def _markdown(field: FieldFacts, release: str) -> str:
    use = use_of(field.name, release)
    lines = field.facts.doc.split("\n")
    told = {
        Use.HONOURED: "PEFT {release} honours it.",
        Use.IGNORED: "**PEFT {release} ignores it** in AdaLoRA.",
        Use.REFUSED: "**PEFT {release} refuses it** in AdaLoRA.",
        Use.OUTPUT: "Training writes it.",
        Use.METADATA: "Training does not depend on it.",
    }
    default = "" if field.name == "total_step" else f" Default: `{field.default!r}`."
    since = "" if field.facts.since == "0.3.0" else f" Since PEFT {field.facts.since}."
    told_of = told[use].format(release=release) if use is not None else ""
    return "  \n".join([*lines, f"{told_of}{default}{since}"])


def _stranger(field: str | None) -> Schema:
    meant = field or "init_r or target_r"
    words = f"AdaLoraConfig has no such field; {meant} is meant."
    return {"not": {}, "description": words, "errorMessage": words, "doNotSuggest": True}


def _is(properties: dict[str, Schema]) -> Schema:
    return {"required": list(properties), "properties": properties}


def _is_class(key: str) -> Schema:
    return _is({key: {"type": "string", "pattern": r"^peft\.(\w+\.)*AdaLoraConfig$", **_HIDDEN}})


def _has_one_of(names: Iterable[str]) -> Schema:
    return {"anyOf": [{"required": [name]} for name in sorted(names)]}


def _has(pattern: str, value: Schema) -> Schema:
    """Hold where a key that matches has such a value."""
    return {"not": {"patternProperties": {f"^({_any_case(pattern)})$": {"not": value}}}}


def _any_case(pattern: str) -> str:
    """Write a pattern that minds no case, in the words that JavaScript has, too."""
    return re.sub(
        r"\\.|[A-Za-z]",
        lambda found: found[0] if len(found[0]) > 1 else f"[{found[0].upper()}{found[0].lower()}]",
        pattern,
    )


def _prefixed() -> Schema:
    return _has(r"adalora_.*", {})


def _says_adalora() -> Schema:
    """Hold for a mapping that says itself that it is one: `peft_type: ADALORA` beside a field, or `_target_`."""
    return {
        "anyOf": [
            _is_class("_target_"),
            {
                "allOf": [
                    _is({"peft_type": {"const": "ADALORA"}}),
                    _has_one_of((OWN_FIELDS | LORA_FIELDS) - {"peft_type"}),
                    {"not": {"anyOf": [_prefixed(), _has("adalora", {"type": "object"})]}},
                ]
            },
        ]
    }


def _is_block() -> Schema:
    """Hold for a mapping under `adalora` that has a field of AdaLoRA's own."""
    return {
        "type": "object",
        "allOf": [_has_one_of(OWN_FIELDS), {"not": {"anyOf": [_prefixed(), _left_alone()]}}],
    }


def _left_alone() -> Schema:
    """Hold for a mapping that is switched off, of another method, or the record of a run."""
    words = sorted({re.escape(word) for word in METHODS | WHOLE_MODEL if word != "adalora"})
    method = "|".join(r"[\s_-]*".join(re.findall(r"\\.|.", word)) for word in words)
    other = {"type": "string", "pattern": rf"^[\s_-]*({_any_case(method)})[\s_-]*$|{FILLED_IN.pattern}"}
    switch = {"type": ["boolean", "number", "string"]}
    finished = {"type": "string", "pattern": f"^({_any_case('|'.join(sorted(FINISHED)))})$"}
    return {
        "anyOf": [
            _is({"inference_mode": {"const": True}}),
            _has_one_of(RECORD_KEYS),
            _has(DISCRIMINATOR.pattern, other),
            _has(ON.pattern, {**switch, "not": {"const": True}}),
            _has(OFF.pattern, {**switch, "not": {"const": False}}),
            _has(MEASURED.pattern, {"type": "number"}),
            _has(MEASUREMENTS.pattern, {"type": ["object", "array"]}),
            _has("status|state", finished),
            # Labels of a form, or a search space, instead of numbers.
            _has("|".join(sorted(NUMBERS)), {"type": ["object", "array"]}),
            _has("|".join(sorted(NUMBERS)), {"type": "string", "pattern": _LABEL}),
            _is({"method": {"enum": ["bayes", "grid", "random"], **_HIDDEN}, "parameters": _HIDDEN}),
        ]
    }
