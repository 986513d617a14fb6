"""What a run tells of baselines: which of their entries it can judge, and which no longer occur."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from adalint import files
from adalint.baseline import compare, entries_of, place_of
from adalint.source import Kind, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from adalint.baseline import Entry
    from adalint.cli.inputs import Inputs
    from adalint.findings import Report


def places(inputs: Inputs) -> Iterator[str]:
    """Tell where the baselines of the paths that were asked for are, or would be."""
    request = inputs.request
    yield from dict.fromkeys(place_of(request.resolve(folder), folder) for folder in request.folders)


def stale_entries(inputs: Inputs, reports: Iterable[Report]) -> list[tuple[str, Entry]]:
    """List what baselines hold that no longer occurs where this run has looked, each with the place of its baseline."""
    if not inputs.baselines.entries:
        return []
    reports = list(reports)
    is_judged = judge_of(inputs)
    found = []
    for place, entries in sorted(inputs.baselines.entries.items()):
        folder = os.path.dirname(place)
        hidden = [entry for report in reports if report.hidden for entry in entries_of(report, folder)]
        compared = compare(entries, hidden, lambda entry, folder=folder: is_judged(folder, entry))  # type: ignore[misc]
        found += [(place, entry) for entry in compared.stale]
    return found


def judge_of(inputs: Inputs, failed: Iterable[str] = ()) -> Callable[[str, Entry], bool]:
    """Give what tells whether a run can say that an entry of the baseline in a folder no longer occurs.

    It cannot where a file was not read, or not all of it, or where the entry's rule is off. `failed` are the files that
    adalint itself fails at.
    """
    read = {_place(target.path) for target in inputs.targets} - {_place(path) for path in failed}
    folders = [os.path.realpath(path) + os.sep for path in inputs.request.paths if os.path.isdir(path)]
    can_be_read = cache(_can_be_read)

    def is_judged(folder: str, entry: Entry) -> bool:
        place = _place(os.path.join(folder, entry.path))
        if os.path.lexists(place):
            return place in read and _is_on(inputs, place, entry.rule) and can_be_read(place)
        return any(place.startswith(one) for one in folders) and _is_on(inputs, place, entry.rule)

    return is_judged


def _can_be_read(path: str) -> bool:
    """Tell whether all of a file can be read, whether or not the rules that would say so are on."""
    from adalint.embedded import texts_in, unread_in
    from adalint.readers import read_sites
    from adalint.readers.errors import ReadError

    try:
        source = files.load(path)
        if source is None or source.kind is Kind.MARKDOWN:  # whose blocks may be sketches
            return True
        texts = texts_in(source)
        for text in texts:
            read_sites(text)
    except (SourceError, ReadError):
        return False
    return not any(map(unread_in, texts))


def _is_on(inputs: Inputs, path: str, code: str) -> bool:
    from adalint.rulebook.pages import load

    settled = inputs.request.resolve(path)
    rule = load(settled.rule_folders).rules.get(code)
    return rule is None or settled.selected(rule.code, rule.name, rule.severity)


def _place(path: str) -> str:
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)
