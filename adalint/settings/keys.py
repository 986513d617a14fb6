"""What can be written under each key of the settings, and how it is read."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from adalint.findings import Severity
from adalint.patterns import PatternError, compiled
from adalint.report import FORMATS
from adalint.settings.selectors import ALL, nearest_word
from adalint.settings.settled import OFF

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INTENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "r": ("init_r", "final", "keep-today"),
    "reversed-ranks": ("swap", "lower-target", "raise-init"),
}
"""What can be declared under `intent`, and the words for it."""
LANGUAGES: Final = ("en", "zh")
SEVERITIES: Final = (*(str(severity) for severity in Severity), OFF)
"""The words for the severity of a rule."""
_CODE_OR_PREFIX: Final = re.compile(r"ADA\d{0,3}|(?!ADA)[A-Z]{2,10}\d{0,5}")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_RELEASE: Final = re.compile(r"\d+(\.\d+){1,3}((a|b|rc|\.dev|\.post)\d+)?")


class Wrong(Exception):
    """A key or value that cannot be used: why, the keys that lead there, and the word in question.

    `unknown` says that the last key itself is what is wrong.
    """

    def __init__(self, reason: str, keys: tuple[str, ...] = (), word: str = "", *, unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.keys = keys
        self.word = word
        self.unknown = unknown


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong(f"a table is wanted, not {value!r}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"true or false is wanted, not {value!r}")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Wrong(f"a list of strings is wanted, not {value!r}")
    return tuple(value)


def _path(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Wrong(f"the path of a file is wanted, not {value!r}")
    return value


def _selectors(value: Any) -> tuple[str, ...]:
    return tuple(_selector(one) for one in _strings(value))


def _selector(selector: str) -> str:
    if selector == ALL or _CODE_OR_PREFIX.fullmatch(selector) or _NAME.fullmatch(selector):
        return selector
    upper = selector.upper()
    is_code = re.search(r"\d", upper) is not None or "ADA".startswith(upper)
    near = f", did you mean {upper!r}?" if upper == ALL or (is_code and _CODE_OR_PREFIX.fullmatch(upper)) else ""
    raise Wrong(f"{selector!r} is no code, name, prefix or ALL{near}", word=selector)


def _release(value: Any) -> str:
    if not isinstance(value, str) or not _RELEASE.fullmatch(value):
        raise Wrong(f'a release such as "0.15.2" is wanted, not {value!r}')
    return value


def _release_of_peft(value: Any) -> str:
    release = _release(value)
    if tuple(map(int, re.findall(r"\d+", release)[:2])) < (0, 3):
        raise Wrong(f"PEFT has AdaLoRA since 0.3.0, not in {release}")
    return release


def _one_of(words: tuple[str, ...]) -> Callable[[Any], str]:
    def reader(value: Any) -> str:
        if value not in words:
            near = nearest_word(value, words) if isinstance(value, str) else ""
            raise Wrong(f"{value!r} is none of {', '.join(words)}{near}")
        return str(value)

    return reader


def _each(value: Any, readers: Callable[[str], Callable[[Any], Any]]) -> dict[str, Any]:
    """Read a table whose keys tell how their values are read; a complaint names the key."""
    read = {}
    for key, one in _table(value).items():
        try:
            read[key] = readers(key)(one)
        except Wrong as wrong:
            raise Wrong(wrong.reason, (key, *wrong.keys), wrong.word, unknown=wrong.unknown) from None
    return read


def _intent(value: Any) -> Mapping[str, str]:
    def reader(key: str) -> Callable[[Any], str]:
        if key not in INTENTS:
            raise Wrong(f"unknown key {key!r}{nearest_word(key, INTENTS)}", unknown=True)
        return _one_of(INTENTS[key])

    return MappingProxyType(_each(value, reader))


def _severities(value: Any) -> Mapping[str, str]:
    def reader(key: str) -> Callable[[Any], str]:
        _selector(key)
        return _one_of(SEVERITIES)

    return MappingProxyType(_each(value, reader))


def _per_file_ignores(value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    def reader(glob: str) -> Callable[[Any], tuple[str, ...]]:
        if glob.startswith("!"):
            raise Wrong(f"{glob!r}: a pattern says which files, not which not")
        _pattern(glob)
        return _selectors

    return tuple(_each(value, reader).items())


def _patterns(value: Any) -> tuple[str, ...]:
    return tuple(_pattern(one) for one in _strings(value))


def _pattern(pattern: str) -> str:
    try:
        compiled(pattern)
    except PatternError as error:
        raise Wrong(f"the pattern {pattern!r} cannot be read: {error}", word=pattern) from None
    return pattern


READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "select": _selectors,
    "ignore": _selectors,
    "extend-select": _selectors,
    "pedantic": _flag,
    "severity": _severities,
    "per-file-ignores": _per_file_ignores,
    "target-peft": _release_of_peft,
    "target-transformers": _release,
    "target-accelerate": _release,
    "intent": _intent,
    "extend-safe-fixes": _selectors,
    "unsafe-fixes": _flag,
    "exclude": _patterns,
    "extend-exclude": _patterns,
    "force-exclude": _flag,
    "rule-dirs": _strings,
    "baseline": _path,
    "output-format": _one_of(FORMATS),
    "lang": _one_of(LANGUAGES),
}
"""How the value of each key is read."""
FIELD_OF_KEY: Final[Mapping[str, str]] = {"lang": "language"}
"""The keys whose field of Settings goes by another name."""


def read_table(value: Any) -> dict[str, Any]:
    """Read a whole table of settings, keys in kebab-case.

    Raises:
        Wrong: a key or value is not known, or has the wrong type.
    """

    def reader(key: str) -> Callable[[Any], Any]:
        if key not in READERS:
            raise Wrong(f"unknown key {key!r}{nearest_word(key, READERS)}", unknown=True)
        return READERS[key]

    return _each(value, reader)
