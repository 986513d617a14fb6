"""The comment that trails a value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.source import Kind, Span

if TYPE_CHECKING:
    from adalint.site import Site

_BEHIND: Final = {
    Kind.PYTHON: re.compile(r"[ \t,)\]}]*#+(.*)"),
    # In YAML a `#` opens a comment only behind a blank.
    Kind.YAML: re.compile(r"[ \t,\]}]*(?<=[ \t])#+(.*)"),
}
"""The rest of a line behind a value; where a value has ended, a `#` stands in no string."""


def comment_of(site: Site, field: str) -> str | None:
    """Give the words of the comment behind a field's value, None when another field of that line could be meant."""
    value = site.values.get(field)
    pattern = _BEHIND.get(site.source.kind)
    if value is None or pattern is None:
        return None
    source, end = site.source, value.span.stop
    row = source.row_of(end)
    others = [other for name, other in site.values.items() if name != field]
    if any(source.row_of(place) == row for other in others for place in (other.key_span.start, other.span.stop)):
        return None
    behind = source.slice(Span(end, max(end, source.line_span(row).stop)))
    match = pattern.match(behind)
    return None if match is None else " ".join(match[1].split())
