"""A linter and migration tool for AdaLoRA in Hugging Face PEFT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adalint.api import check_paths, check_text, fix_text, settings_for
    from adalint.findings import Applied, Effect, Finding, Fix, Fixed, Refusal, Related, Report, Safety, Severity
    from adalint.settings import Flags, Settings, SettingsError
    from adalint.source import Edit, Position, Source, Span

__version__ = "0.1.0"

__all__ = [
    "Applied",
    "Edit",
    "Effect",
    "Finding",
    "Fix",
    "Fixed",
    "Flags",
    "Position",
    "Refusal",
    "Related",
    "Report",
    "Safety",
    "Settings",
    "SettingsError",
    "Severity",
    "Source",
    "Span",
    "__version__",
    "check_paths",
    "check_text",
    "fix_text",
    "settings_for",
]

_HOMES = ("api", "findings", "settings", "source")


def __getattr__(name: str) -> Any:
    """Load a part of the API when it is asked for: `adalint --version` needs none of it."""
    if name in __all__:
        from importlib import import_module

        for home in _HOMES:
            module = import_module(f"adalint.{home}")
            if getattr(module, name, None) is not None:
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name what the package offers."""
    return sorted(__all__)
