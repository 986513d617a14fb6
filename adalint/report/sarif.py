"""SARIF 2.1.0, for GitHub code scanning and every viewer of the format."""

from __future__ import annotations

import json
import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from adalint import __version__
from adalint.findings import Severity
from adalint.report.places import below, cell_of, checkout, fingerprints, in_file, path_from, printable
from adalint.report.words import STDIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adalint.findings import Finding, Fix, Report
    from adalint.rulebook.pages import Rule
    from adalint.source import Source, Span

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
HOME: Final = "https://pypi.org/project/adalint/"
ROOT: Final = "%SRCROOT%"

LEVELS: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
_PROBLEMS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
"""What GitHub calls the severity of a rule."""

FINGERPRINT: Final = "adalint/lineContent/v1"
"""A key of adalint's own: GitHub's upload fills in its `primaryLocationLineHash`, and warns of any other sum there."""


def render(reports: Iterable[Report], *, failed: bool = False) -> str:
    """Give one log of one run; lines and columns count from 1, columns in characters.

    The rules are those that are reported, as ruff and zizmor have it, each with its whole page. Files inside the
    checkout are relative to it. Of a notebook, places and fixes are those of its JSON, which viewers show, and a
    logical location names the cell. `failed` tells that a part of the run could not be done.
    """
    reports = list(reports)
    root = checkout()
    codes = sorted({finding.code for report in reports for finding in report.findings})
    results = [result for report in reports for result in _results(report, root, codes)]
    names = {finding.code: finding for report in reports for finding in report.findings}
    driver = {
        "name": "adalint",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": HOME,
        "rules": [_descriptor(names[code]) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": not failed}],
        "originalUriBaseIds": {ROOT: {"uri": Path(root, "_").as_uri().removesuffix("_")}},
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _descriptor(finding: Finding) -> dict[str, Any]:
    from adalint.rulebook.pages import load

    rule = load().rules.get(finding.code)
    if rule is None:  # a page of a team's own
        return {"id": finding.code, "name": finding.name, **_leveled(finding.severity)}
    body = rule.body.strip()
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": _what_it_does(rule)},
        "help": {"text": body, "markdown": body},
        **_leveled(rule.severity),
    }


def _leveled(severity: Severity) -> dict[str, Any]:
    return {
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": {"tags": ["adalora", "correctness"], "problem.severity": _PROBLEMS[severity]},
    }


def _what_it_does(rule: Rule) -> str:
    """Give the first section of the page in one paragraph, the summary where there is none."""
    section = re.search(r"^## What it does\n(.*?)(?=^## |\Z)", rule.body, re.DOTALL | re.MULTILINE)
    return " ".join(section[1].split()) if section else rule.summary


def _results(report: Report, root: str, codes: Sequence[str]) -> Iterable[dict[str, Any]]:
    placed = in_file(report)
    artifact = _artifact(report.source.path, root)
    location = partial(_location, placed.source, artifact)
    marks = fingerprints(report, path_from(root, report.source.path))
    for finding, place, mark in zip(report.findings, placed.findings, marks, strict=True):
        cell = cell_of(report.source, finding)
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "ruleIndex": codes.index(finding.code),
            "level": LEVELS[finding.severity],
            "message": {"text": printable(finding.message)},
            "locations": [location(place.span)],
            "partialFingerprints": {FINGERPRINT: mark},
        }
        if cell:
            result["locations"][0]["logicalLocations"] = [{"fullyQualifiedName": cell}]
        if place.related:
            result["relatedLocations"] = [
                {"id": number, **location(related.span), "message": {"text": printable(related.message)}}
                for number, related in enumerate(place.related)
            ]
        fixes = [_fix(placed.source, artifact, fix) for fix in place.fixes if fix.edits]
        if fixes:
            result["fixes"] = fixes
        yield result


def _fix(source: Source, artifact: dict[str, Any], fix: Fix) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(source, edit.span), "insertedContent": {"text": printable(edit.text)}}
        for edit in sorted(fix.edits)
    ]
    return {
        "description": {"text": printable(fix.title)},
        "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
        "properties": {"applicability": fix.safety.name.lower(), "effect": str(fix.effect)},
    }


def _location(source: Source, artifact: dict[str, Any], span: Span) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": artifact, "region": _region(source, span)}}


def _region(source: Source, span: Span) -> dict[str, int]:
    start, end = source.position(span.start), source.position(span.stop)
    return {
        "startLine": start.row,
        "startColumn": start.column,
        "endLine": end.row,
        "endColumn": end.column,
    }


def _artifact(path: str, root: str) -> dict[str, Any]:
    """Name a file: by its way from the checkout, by its whole address outside."""
    if path == STDIN:
        return {"uri": "untitled:stdin"}
    inside = below(root, path)
    if inside is None:
        return {"uri": Path(path).absolute().as_uri()}
    return {"uri": quote(os.fsencode(inside)), "uriBaseId": ROOT}
