"""What a `pyproject.toml` asks for."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from adalint.targets.requirement import (
    Pin,
    Said,
    address,
    applies,
    bumped,
    newest,
    newest_alternative,
    packages_read,
    requirement,
    row_of,
    together,
    version_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def pins_of_pyproject(path: str, text: str) -> dict[str, Pin]:
    """Read what a `pyproject.toml` asks for, in the tables of the standards, of Poetry and of uv."""
    if not any(package in text.lower() for package in packages_read()):
        return {}
    document = tomllib.loads(text)
    project, tool = document.get("project", {}), document.get("tool", {})
    poetry, uv = tool.get("poetry", {}), tool.get("uv", {})
    groups = [
        *project.get("optional-dependencies", {}).values(),
        *document.get("dependency-groups", {}).values(),
        uv.get("dev-dependencies", []),
    ]
    tables = [
        poetry.get("dev-dependencies", {}),
        *(group.get("dependencies", {}) for group in poetry.get("group", {}).values()),
    ]
    always = [
        *_uv_sources(uv.get("sources", {}), path, text),
        *_listed(project.get("dependencies", []), path, text),
        *_poetry(poetry.get("dependencies", {}), path, text),
    ]
    sometimes = [
        *(said for group in groups for said in _listed(group, path, text)),
        *(said for table in tables for said in _poetry(table, path, text)),
    ]
    pins = together([*always, *_listed(uv.get("constraint-dependencies", []), path, text)])
    overridden = together(_listed(uv.get("override-dependencies", []), path, text))
    return {**newest(sometimes), **pins, **overridden}


def _listed(requirements: Sequence[Any], path: str, text: str) -> Iterator[Said]:
    for one in requirements:
        if isinstance(one, str):
            said = requirement(one, path, None)
            if said is not None:
                yield replace(said, row=row_of(text, re.compile(rf".*[\"']{re.escape(one)}[\"']")))


def _uv_sources(sources: Mapping[str, Any], path: str, text: str) -> Iterator[Said]:
    for name, source in sources.items():
        if isinstance(source, dict) and source.keys() & {"git", "url", "path"}:
            url = f"{source.get('git') or source.get('url') or source.get('path')}@{source.get('tag', '')}"
            said = address(canonicalize_name(name), url.rstrip("@"), path, None)
            if said is not None:
                row = row_of(text, re.compile(rf"\s*{re.escape(name)}\s*="))
                yield replace(said, text=f"{name} from {said.text}", row=row)


def _poetry(table: Mapping[str, Any], path: str, text: str) -> Iterator[Said]:
    for name, wanted in table.items():
        package = canonicalize_name(name)
        if package not in packages_read():
            continue
        row = row_of(text, re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*="))
        for one in wanted if isinstance(wanted, list) else [wanted]:
            entry = one if isinstance(one, dict) else {"version": one}
            if not applies(entry.get("markers")):
                continue
            version = entry.get("version")
            if isinstance(version, str):
                specifiers = newest_alternative(package, [_poetry_version(part) for part in version.split("||")])
                yield Said(package, specifiers, f'{name} = "{version}"', path, row)
            elif entry.keys() & {"git", "url", "path"}:
                url = str(entry.get("git") or entry.get("url") or entry.get("path"))
                said = address(package, f"{url}@{entry.get('tag', '')}".rstrip("@"), path, row)
                if said is not None:
                    yield replace(said, text=f"{name} from {said.text}")


def _poetry_version(text: str) -> str:
    """Write Poetry's carets, tildes and bare versions as PEP 440 does."""
    parts = []
    for part in filter(None, re.split(r"\s*,\s*|\s+(?=[<>=!~^])", text.strip())):
        sign, version = part[0], part[1:].strip()
        numbers = version_.release if (version_ := version_of(version)) else ()
        if sign == "^" and numbers:
            lead = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
            parts.append(f">={version},<{'.'.join(map(str, bumped(numbers[: lead + 1])))}")
        elif sign == "~" and numbers:
            parts.append(f">={version},<{'.'.join(map(str, bumped(numbers[:2])))}")
        elif part[0].isdigit():
            parts.append(f"=={part}")
        elif part != "*":
            parts.append(part)
    return ",".join(parts)
