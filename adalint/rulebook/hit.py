"""What a named check gives to the rule that names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adalint.findings import Severity
    from adalint.source import Span


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a check has found: the names that it points at, and what messages and fixes may use.

    `spans` are given where it points at something else than the entries that count for those names.
    """

    at: tuple[str, ...]
    found: Mapping[str, Any] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()
    severity: Severity | None = None
    """Where it is less than the rule's own: nothing raises here."""
