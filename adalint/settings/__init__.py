"""What a team decides once: which rules, which release, which reading of an ambiguous configuration.

Read from the nearest `adalint.toml` or `[tool.adalint]` of a `pyproject.toml`. Only the standard library is used here,
since every run comes through.
"""

from adalint.settings.checking import check_selectors, check_words, names_rules
from adalint.settings.flags import Flags, over
from adalint.settings.keys import FIELD_OF_KEY, INTENTS, LANGUAGES, READERS, SEVERITIES
from adalint.settings.nearest import resolver
from adalint.settings.places import PYPROJECT_TABLE, Place, settings_error
from adalint.settings.reading import parse, read
from adalint.settings.selectors import ALL, nearest_word, stands_for
from adalint.settings.settled import TARGETS, Settings, SettingsError, Verdict

__all__ = [
    "ALL",
    "FIELD_OF_KEY",
    "INTENTS",
    "LANGUAGES",
    "PYPROJECT_TABLE",
    "READERS",
    "SEVERITIES",
    "TARGETS",
    "Flags",
    "Place",
    "Settings",
    "SettingsError",
    "Verdict",
    "check_selectors",
    "check_words",
    "names_rules",
    "nearest_word",
    "over",
    "parse",
    "read",
    "resolver",
    "settings_error",
    "stands_for",
]
