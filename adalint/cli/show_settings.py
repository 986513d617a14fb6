"""`adalint check --show-settings`: what is settled for a path, where it comes from, and why each rule is on or off."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from adalint.cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adalint.cli.options import Request
    from adalint.rulebook.pages import Rule
    from adalint.settings import Flags, Settings, Verdict


def show_settings_of(request: Request) -> None:
    """Print the settings of each path of the request."""
    from adalint.cli.inputs import Inputs
    from adalint.settings import SettingsError

    inputs = Inputs(request)
    paths = [request.stdin_filename or "."] if request.reads_stdin else request.paths
    for number, path in enumerate(paths):
        if not request.reads_stdin and not os.path.lexists(path):
            raise Failure(f"{path}: no such file or directory")
        try:
            settled = inputs.settled(path)
        except SettingsError as error:
            raise Failure(str(error)) from None
        click.echo("\n" if number else "", nl=False)
        click.echo("\n".join(_lines(path, settled, request.flags)))


def _lines(path: str, settled: Settings, flags: Flags) -> Iterator[str]:
    from adalint.report.words import harmless, shown_path
    from adalint.rulebook.pages import load
    from adalint.settings import FIELD_OF_KEY, READERS, Settings

    origin = _where(settled) if settled.origin else "no settings file"
    yield f"{harmless(shown_path(path))}: {origin}"
    if settled.excludes(path):
        named = " even when named" if settled.force_exclude else " unless named"
        yield f"excluded{named}"
    default = Settings()
    yield ""
    rows = []
    for key in READERS:
        name = FIELD_OF_KEY.get(key, key.replace("-", "_"))
        value = getattr(settled, name)
        source = getattr(settled, f"{name}_source", None)
        if source is None:
            source = _source_of(name, value, getattr(default, name), settled, flags)
        rows.append((f"{key} is not set" if value is None else f"{key} = {_toml(value)}", source))
    width = min(60, max(len(text) for text, _ in rows))
    for text, source in rows:
        yield harmless(f"{text:<{width}}  # {source}")
    yield ""
    rules = list(load(settled.rule_folders).rules.values())
    codes, names = (max(len(getattr(rule, part)) for rule in rules) for part in ("code", "name"))
    for rule in rules:
        severity = settled.severity_of(rule.code, rule.name, rule.severity)
        yield f"{rule.code:<{codes}}  {rule.name:<{names}}  {severity:<7}  {reason(rule, settled, flags)}"


def reason(rule: Rule, settled: Settings, flags: Flags) -> str:
    """Say whether a rule is on, and what decided."""
    verdict = settled.verdict(rule.code, rule.name, rule.severity)
    match verdict.key:
        case "pedantic":
            return f"on: {_place('pedantic', '', settled, flags)}" if verdict.on else "off: info, not selected by name"
        case "ignore":
            return f"off: ignored by {_place('ignore', verdict.word, settled, flags)}{_as(verdict, rule)}"
        case "per-file-ignores":
            return f"off: ignored for {verdict.word} by {_place('per-file-ignores', '', settled, flags)}"
        case "severity":
            return f"off: by {_place('severity', '', settled, flags)}{_as(verdict, rule)}"
    if not verdict.on:
        return f"off: not selected by {_place('select', '', settled, flags)}"
    if verdict.key == "select" and not flags.select and settled.select == ("ALL",):
        return "on: by default"
    return f"on: selected by {_place(verdict.key, verdict.word, settled, flags)}{_as(verdict, rule)}"


def _as(verdict: Verdict, rule: Rule) -> str:
    return "" if verdict.word in {"", rule.code, rule.name} else f" ({verdict.word})"


def _place(key: str, word: str, settled: Settings, flags: Flags) -> str:
    """Name the flag or the key of a file that holds a word."""
    given = getattr(flags, key.replace("-", "_"), None)
    if given and (key in {"select", "pedantic"} or word in given):
        return f"--{key}"
    where = _where(settled)
    return f"[tool.adalint] {key} in {where}" if where.endswith("pyproject.toml") else f"{key} in {where}"


def _where(settled: Settings) -> str:
    from adalint.report.words import shown_path

    return shown_path(settled.origin) if settled.origin else "the defaults"


def _source_of(name: str, value: Any, default: Any, settled: Settings, flags: Flags) -> str:
    given = getattr(flags, name, None)
    if given:
        flag = f"--{name.replace('_', '-')}"
        added_to = name in {"ignore", "extend_select"} and value != given
        return f"{_where(settled)} and {flag}" if added_to else flag
    return "default" if value == default else _where(settled)


def _toml(value: Any) -> str:
    """Write a value as a settings file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple) and all(isinstance(one, str) for one in value):
        return f"[{', '.join(map(_toml, value))}]"
    pairs: Mapping[str, Any] = dict(value)
    inside = ", ".join(f"{_toml(key)} = {_toml(one)}" for key, one in pairs.items())
    return f"{{ {inside} }}" if pairs else "{}"
