"""One JSON object a line for each finding, the same objects as in `json`; no line when there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from adalint.report.json import as_object

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.findings import Report


def render(reports: Iterable[Report]) -> str:
    """Give the lines."""
    return "".join(
        json.dumps(as_object(report.source, finding)) + "\n" for report in reports for finding in report.findings
    )
