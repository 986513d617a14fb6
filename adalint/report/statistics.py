"""How often each rule fires, most often first."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from adalint.findings import Safety

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.findings import Report


def render(reports: Iterable[Report]) -> str:
    """Give a line for each rule: how many findings, how many of them a plain `fix` mends, code and name."""
    rows = _rows(reports)
    widths = [max((len(f"{row[key]:,}") for row in rows), default=0) for key in ("count", "fixable")]
    return "".join(
        f"{row['count']:>{widths[0]},}  [{row['fixable']:>{widths[1]},} fixable]  {row['code']}  {row['name']}\n"
        for row in rows
    )


def render_json(reports: Iterable[Report]) -> str:
    """Give the same as one JSON array."""
    return json.dumps(_rows(reports), indent=2) + "\n"


def _rows(reports: Iterable[Report]) -> list[dict[str, Any]]:
    found = [(report, finding) for report in reports for finding in report.findings]
    counts = Counter(finding.code for _, finding in found)
    names = {finding.code: (finding.name, str(finding.severity)) for _, finding in found}
    return [
        {
            "code": code,
            "name": names[code][0],
            "severity": names[code][1],
            "count": count,
            "fixable": sum(one.code == code and one.fix_for(Safety.SAFE) is not None for _, one in found),
            "files": len({report.source.path for report, one in found if one.code == code}),
        }
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
