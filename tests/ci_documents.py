"""Reading what the formats for CI write, each with a parser that is not adalint's, and held against its schema."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import jsonschema
import xmlschema
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from markdown_it.token import Token

SCHEMAS = Path(__file__).resolve().parent / "data" / "schemas"

GITLAB: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "location", "severity"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "minLength": 1, "not": {"pattern": r"^\./"}},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {
                            "begin": {"type": "integer", "minimum": 1},
                            "end": {"type": "integer", "minimum": 1},
                        },
                    },
                },
            },
        },
    },
}
"""Transcribed from the table of fields in GitLab's documentation, "Code Quality report format"."""


@dataclass(frozen=True)
class Said:
    """What a document says of one finding."""

    code: str
    severity: str
    message: str
    path: str
    row: int | None = None


def strict_json(text: str) -> Any:
    """Read JSON as the strictest readers do: one document, no lone surrogate, no NaN."""
    read = json.loads(text, parse_constant=_no_json)
    json.dumps(read, ensure_ascii=False).encode()
    return read


def _no_json(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@cache
def schema(name: str) -> jsonschema.Validator:
    read = GITLAB if name == "gitlab" else json.loads((SCHEMAS / name).read_text())
    kind = jsonschema.validators.validator_for(read)
    kind.check_schema(read)
    return kind(read)


@cache
def junit_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(SCHEMAS / "jenkins-junit.xsd")


def sarif(text: str) -> dict[str, Any]:
    log = strict_json(text)
    schema("sarif-2.1.0.json").validate(log)
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    return dict(run)


def gitlab(text: str) -> list[dict[str, Any]]:
    issues: list[dict[str, Any]] = strict_json(text)
    schema("gitlab").validate(issues)
    marks = [issue["fingerprint"] for issue in issues]
    assert len(set(marks)) == len(marks)
    return issues


def rdjson(text: str) -> list[dict[str, Any]]:
    result = strict_json(text)
    schema("rdjson.json").validate(result)
    diagnostics: list[dict[str, Any]] = result["diagnostics"]
    return diagnostics


def junit(text: str) -> ElementTree.Element:
    junit_schema().validate(text)
    root = ElementTree.fromstring(text)
    for element in (root, *root.iter("testsuite")):
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert int(element.attrib[name]) == len(list(element.iter(tag))), (element.attrib, tag)
    return root


def jsonl(text: str) -> list[dict[str, Any]]:
    lines = text.split("\n")
    assert lines.pop() == ""
    return [json.loads(line) for line in lines]


@dataclass(frozen=True)
class Command:
    """A workflow command as the runner of GitHub Actions reads it."""

    name: str
    properties: Mapping[str, str]
    message: str


def github(text: str) -> list[Command]:
    """Read as the runner does: line by line, properties up to the next `::`, split at commas, then unescaped."""
    lines = text.split("\n")
    assert lines.pop() == ""
    return [_command(line) for line in lines]


def _command(line: str) -> Command:
    assert line.startswith("::"), line
    head, _, message = line[2:].partition("::")
    name, _, told = head.partition(" ")
    pairs = dict(pair.split("=", 1) for pair in told.split(","))
    return Command(name, {key: _unescaped(value) for key, value in pairs.items()}, _unescaped(message))


def _unescaped(text: str) -> str:
    table = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
    return re.sub("%0D|%0A|%3A|%2C|%25", lambda match: table[match[0]], text)


def table(text: str) -> list[list[str]]:
    """Give the rows of the one table in a Markdown text, as people see them; nothing where there is no table."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and token.level > 3:
            rows[-1].append(_shown(token))
        assert token.type != "html_block", token
    return rows


def _shown(token: Token) -> str:
    kinds = {child.type for child in token.children or ()}
    assert kinds <= {"text", "text_special", "code_inline", "html_inline"}, kinds
    tags = {child.content for child in token.children or () if child.type == "html_inline"}
    assert tags <= {"<span>", "</span>"}
    return "".join(child.content for child in token.children or () if child.type != "html_inline")


def _of_markdown(text: str) -> list[Said]:
    return [Said(row[2].split(" ")[0], row[0], row[3], row[1]) for row in table(text)[1:]]


def _of_junit(text: str) -> list[Said]:
    found = []
    for suite in junit(text):
        for case in suite:
            for problem in case:
                kind, message = problem.attrib["type"], problem.attrib["message"]
                found.append(Said(case.attrib["name"].split(" ")[0], kind, message, suite.attrib["name"]))
    return found


def _of_json(one: dict[str, Any]) -> Said:
    return Said(one["code"], one["severity"], one["message"], one["filename"], one["location"]["row"])


def _of_command(one: Command) -> Said:
    row = one.properties.get("line")
    code = one.properties["title"].split(" ")[0]
    return Said(code, one.name, one.message, one.properties.get("file", "-"), row and int(row))  # type: ignore[arg-type]


def _of_issue(one: dict[str, Any]) -> Said:
    place = one["location"]
    message = one["description"].partition(": ")[2]
    return Said(one["check_name"], one["severity"], message, place["path"], place["lines"]["begin"])


def _of_diagnostic(one: dict[str, Any]) -> Said:
    place = one["location"]
    message = one["message"].partition(": ")[2]
    return Said(one["code"]["value"], one["severity"], message, place["path"], place["range"]["start"]["line"])


def _of_result(one: dict[str, Any]) -> Said:
    place = one["locations"][0]["physicalLocation"]
    row = place["region"]["startLine"]
    return Said(one["ruleId"], one["level"], one["message"]["text"], place["artifactLocation"]["uri"], row)


READERS: dict[str, Callable[[str], list[Said]]] = {
    "jsonl": lambda text: [_of_json(one) for one in jsonl(text)],
    "github": lambda text: [_of_command(one) for one in github(text)],
    "gitlab": lambda text: [_of_issue(one) for one in gitlab(text)],
    "sarif": lambda text: [_of_result(one) for one in sarif(text)["results"]],
    "junit": _of_junit,
    "rdjson": lambda text: [_of_diagnostic(one) for one in rdjson(text)],
    "markdown": _of_markdown,
}
"""How each format is read, by its name."""

SEVERITIES: dict[str, tuple[str, str, str]] = {
    "jsonl": ("error", "warning", "info"),
    "github": ("error", "warning", "notice"),
    "gitlab": ("critical", "major", "info"),
    "sarif": ("error", "warning", "note"),
    "junit": ("error", "warning", "info"),
    "rdjson": ("ERROR", "WARNING", "INFO"),
    "markdown": ("error", "warning", "info"),
}
"""What each format calls an error, a warning and an info."""
