"""From the text of a settings file to Settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adalint.settings.keys import FIELD_OF_KEY, Wrong, read_table
from adalint.settings.places import PYPROJECT_TABLE, Place, shown
from adalint.settings.settled import TARGETS, Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> Settings | None:
    """Read one settings file; None when it is a `pyproject.toml` without `[tool.adalint]`.

    Raises:
        SettingsError: it cannot be read, is no TOML, or says something that is not known.
    """
    import tomllib

    name = shown(path)
    try:
        raw = path.read_bytes()
        if path.name == "pyproject.toml" and b"adalint" not in raw:
            return None  # someone else's file: not even its syntax is ours to judge
        text = raw.decode()
        document = tomllib.loads(text)
    except PermissionError:
        raise SettingsError(f"{name}: permission denied; give yourself the right to read it (`chmod u+r`)") from None
    except OSError as error:
        raise SettingsError(f"{name}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: {error}") from None
    if path.name != "pyproject.toml":
        return parse(document, Place(name, text=text), str(path))
    tool = document.get("tool", {})
    if not isinstance(tool, dict) or "adalint" not in tool:
        return None
    return parse(tool["adalint"], Place(name, PYPROJECT_TABLE, text), str(path))


def parse(table: Any, place: Place, origin: str | None = None) -> Settings:
    """Turn a table of settings, keys in kebab-case, into Settings.

    Raises:
        SettingsError: a key or value is not known, or has the wrong type; the message names the line.
    """
    try:
        written = read_table(table)
    except Wrong as wrong:
        raise SettingsError(place.of(wrong.keys, wrong.word, inside=wrong.unknown) + wrong.reason) from None
    settings = {FIELD_OF_KEY.get(key, key.replace("-", "_")): value for key, value in written.items()}
    for name in TARGETS:
        if name in settings:
            settings[f"{name}_source"] = str(place)
    if "language" in settings:
        settings["language_source"] = str(place)
    return Settings(**settings, origin=origin)
