"""What lock files have settled: those of uv, Poetry, PDM, pip and Pipenv."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adalint.targets.requirement import Said, applies, packages_read, row_of, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BLOCK = re.compile(r"^\[\[packages?\]\][ \t]*(?:#.*)?$", re.MULTILINE)
_NAMED = re.compile(r"^name\s*=\s*[\"']([\w.-]+)[\"']", re.MULTILINE)


def lock(path: str, text: str) -> Iterator[Said]:
    """Read the tables of a lock that are ours, one by one: a lock is long, and may be broken elsewhere."""
    starts = [match.start() for match in _BLOCK.finditer(text)]
    for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        block = text[start:stop]
        if packages_read().isdisjoint(_NAMED.findall(block)):
            continue
        try:
            document = tomllib.loads(block)
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        [table] = document.get("package") or document["packages"]
        version = version_of(str(table.get("version")))
        if version is None or not _is_wanted(table):
            continue
        name, release = table["name"], version.public
        row = text.count("\n", 0, start) + 1
        row += next((index for index, line in enumerate(block.split("\n")) if re.match(r"version\s*=", line)), 0)
        yield Said(name, f"=={release}", f"{name} {release}", path, row)


def _is_wanted(table: Mapping[str, Any]) -> bool:
    """Tell whether a locked package is one that is installed here: uv forks, Poetry and pip use markers."""
    marker = table.get("marker", table.get("markers"))
    forks = table.get("resolution-markers")
    return applies(marker) and (not isinstance(forks, list) or any(map(applies, forks)))


def pipfile_lock(path: str, text: str) -> Iterator[Said]:
    """Read a `Pipfile.lock`."""
    document = json.loads(text)
    for section in ("default", "develop"):
        for name, entry in document.get(section, {}).items():
            if name not in packages_read() or not applies(entry.get("markers")):
                continue
            row = row_of(text, re.compile(rf'\s*"{name}"\s*:'))
            specifiers = entry.get("version")
            said = Said(name, specifiers, f"{name}{specifiers or ''}", path, row)
            yield said if specifiers else replace(said, text=f"{name} from {entry.get('git', 'elsewhere')}")
