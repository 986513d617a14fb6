"""What an editor says of settings: initialization options, and the section `adalint` of its configuration."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from adalint.settings import Flags, Settings, SettingsError, over

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEBOUNCE: Final = 150
"""Milliseconds without a change after which a text is checked."""


def _words(value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise TypeError("a list of strings")
    return tuple(word.strip() for word in words if word.strip())


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a string")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value


KEYS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "select": ("select", _words),
    "ignore": ("ignore", _words),
    "extendSelect": ("extend_select", _words),
    "pedantic": ("pedantic", _flag),
    "targetPeft": ("target_peft", _text),
    "targetTransformers": ("target_transformers", _text),
    "targetAccelerate": ("target_accelerate", _text),
    "lang": ("language", _text),
    "unsafeFixes": ("unsafe_fixes", _flag),
    "config": ("config", _text),
    "isolated": ("isolated", _flag),
}
"""What an editor may say, and the flag of the command line that it stands for; null leaves the word to the files."""


def plain(value: Any) -> Any:
    """Give an object of the protocol as the dicts and lists that it was made of."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    return plain(vars(value)) if hasattr(value, "__dict__") and not isinstance(value, type) else value


def section(options: Any) -> dict[str, Any]:
    """Give the part that is about adalint, whether it stands under a key of that name or alone."""
    found = plain(options)
    if not isinstance(found, dict):
        return {}
    for key in ("adalint", "settings"):
        if isinstance(found.get(key), dict):
            return section(found[key])
    return found


def flags_of(options: Mapping[str, Any], folder: str | None) -> tuple[Flags, list[str]]:
    """Read options as flags; also give what is wrong with those that are left out."""
    flags: dict[str, Any] = {}
    complaints = []
    for key, (name, read) in KEYS.items():
        value = options.get(key)
        if value is None:
            continue
        try:
            flags[name] = read(value)
            over(Settings(), Flags(**{name: flags[name]}))
        except (TypeError, SettingsError) as error:
            flags.pop(name, None)
            wanted = error if isinstance(error, SettingsError) else f"{error} is wanted, not {value!r}"
            complaints.append(f"{key}: {wanted}")
    if "config" in flags:
        flags["config"] = os.path.join(folder or os.getcwd(), os.path.expanduser(flags["config"]))
    return Flags(**flags), complaints


def debounce_of(options: Mapping[str, Any]) -> float | None:
    """Give the seconds without a change after which a text is checked; None when nobody says."""
    value = options.get("debounce")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 60_000:
        return None
    return value / 1000
