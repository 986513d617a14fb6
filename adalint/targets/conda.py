"""What environments of conda ask for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.targets.requirement import Said, newest_alternative, packages_read
from adalint.targets.requirements_txt import COMMENT, requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

_ITEM = re.compile(r"(?P<indent>\s*)-\s+(?P<quote>[\"']?)(?P<item>.*?)(?P=quote)")
_MATCH_SPEC = re.compile(r"(?:[\w./-]+::)?(?P<name>[\w.-]+)\s*(?P<version>[^\s\[]*(?:\s*[,|]\s*[^\s\[]+)*)")


def conda(path: str, text: str) -> Iterator[Said]:
    """Read the items of `dependencies` line by line: such files are flat lists, and templates are no YAML."""
    pip: int | None = None
    for row, line in enumerate(text.splitlines(), 1):
        item = _ITEM.fullmatch(COMMENT.sub("", line).rstrip())
        if item is None:
            continue
        indent = len(item["indent"])
        if pip is not None and indent <= pip:
            pip = None
        if item["item"] in {"pip:", "pip :"}:
            pip = indent
        elif pip is None:
            said = conda_spec(item["item"], path, row)
            if said is not None:
                yield said
        else:
            for one in requirements(path, item["item"], [path]):
                yield replace(one, row=row) if one.path == path else one


def conda_spec(text: str, path: str, row: int | None) -> Said | None:
    """Read a requirement in conda's words; None when it is for a package that does not matter."""
    spec = _MATCH_SPEC.match(text.strip())
    if spec is None or spec["name"].lower() not in packages_read():
        return None
    name = spec["name"].lower()
    alternatives = [_conda_version(one) for one in spec["version"].split("|")]
    return Said(name, newest_alternative(name, alternatives), text, path, row)


def _conda_version(text: str) -> str:
    parts = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        operator = re.match(r"[<>=!~]*", part)
        version = part[operator.end() if operator else 0 :].partition("=")[0]
        match operator.group() if operator else "":
            case "=":
                parts.append(f"=={version.removesuffix('*').removesuffix('.')}.*")
            case "":
                parts.append(f"=={version}" if version != "*" else "")
            case other:
                parts.append(f"{other}{version}")
    return ",".join(filter(None, parts))
