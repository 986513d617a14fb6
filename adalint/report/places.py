"""Where findings stand for programs that look at a checkout: paths below its root, places in files, fingerprints."""

from __future__ import annotations

import os
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from adalint.report.words import STDIN, shown_path
from adalint.source import Kind

if TYPE_CHECKING:
    from adalint.findings import Finding, Report
    from adalint.source import Source

_CHECKOUTS: Final = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


def checkout() -> str:
    """Tell the root that a CI service counts paths from: that of its checkout when run inside, else the folder here."""
    working = os.path.realpath(os.getcwd())
    for variable in _CHECKOUTS:
        told = os.environ.get(variable)
        if told and _is_below(working, root := os.path.realpath(told)):
            return root
    return working


def below(root: str, path: str) -> str | None:
    """Give a path from a root on, with `/` between its parts; None when it lies elsewhere, or is standard input."""
    place = _place(path)
    return os.path.relpath(place, root).replace(os.sep, "/") if path != STDIN and _is_below(place, root) else None


def path_from(root: str, path: str) -> str:
    """Give a path from a root on when it lies inside, the whole path when it lies elsewhere, as text in any case."""
    if path == STDIN:
        return path
    return printable(below(root, path) or _place(path))


def relative_path(path: str) -> str:
    """Give a path as people are shown it, as text in any case."""
    return printable(shown_path(path).replace(os.sep, "/"))


def printable(text: str) -> str:
    """Spell out the bytes of a name that are no text in UTF-8, which no document can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def in_file(report: Report) -> Report:
    """Give a report in places of the file: of a notebook, those in its JSON, which is what a service shows."""
    if report.source.kind is not Kind.NOTEBOOK:
        return report
    from adalint.notebook import in_file as within_json

    return within_json(report)


def cell_of(source: Source, finding: Finding) -> str | None:
    """Name the place within a notebook: `cell 3, line 2`; None in other files."""
    place = source.position(finding.span.start)
    return None if place.cell is None else f"cell {place.cell}, line {place.row}"


def fingerprints(report: Report, path: str) -> list[str]:
    """Give for each finding what tells it from all others and stays when lines elsewhere come or go.

    It is made of the rule, the path, the text of the line without its indentation (in a notebook, of the cell's line)
    and which of the findings alike in these it is.
    """
    seen: Counter[tuple[str, str]] = Counter()
    prints = []
    for finding in report.findings:
        line = report.source.slice(report.source.line_span(report.source.row_of(finding.span.start))).strip()
        prints.append(_hashed(finding.code, path, line, str(seen[finding.code, line])))
        seen[finding.code, line] += 1
    return prints


def _hashed(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()


def _place(path: str) -> str:
    """Give a path without links in its folders; a link itself is where it is, since that is what was checked out."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def _is_below(place: str, root: str) -> bool:
    return place == root or place.startswith(root.rstrip(os.sep) + os.sep)
