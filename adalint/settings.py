"""What a team decides once: which rules, which release, which reading of an ambiguous configuration.

Read from the nearest `adalint.toml` or `[tool.adalint]` of a `pyproject.toml`. Only the standard library is used here,
since every run comes through.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

INTENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "r": ("init_r", "final", "keep-today"),
    "reversed-ranks": ("swap", "lower-target", "raise-init"),
}
"""What can be declared under `intent`, and the words for it."""

ALL: Final = "ALL"
_CODE_OR_PREFIX = re.compile(r"ADA\d{0,3}")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_RELEASE = re.compile(r"\d+(\.\d+){1,3}((a|b|rc|\.dev|\.post)\d+)?")


class SettingsError(Exception):
    """Settings that cannot be used; the message names the place, what is wrong, and what is near."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settled decisions for one file.

    `select`, `ignore`, `extend_select` and `extend_safe_fixes` hold codes, names, prefixes (`ADA1`) or `ALL`.
    `target_peft` is a release, None when nobody says; `target_peft_source` tells where it was taken from. `exclude` is
    in gitignore's language, relative to the folder of `origin`, the file that all this was read from.
    """

    select: tuple[str, ...] = (ALL,)
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    pedantic: bool = False
    target_peft: str | None = None
    target_peft_source: str | None = None
    intent: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    extend_safe_fixes: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    exclude: tuple[str, ...] = ()
    language: str = "en"
    origin: str | None = None

    def selected(self, code: str, name: str, severity: str) -> bool:
        """Tell whether a rule is on: the most specific selector decides, and `ignore` wins between equals.

        A rule of severity info is on only when it is selected by its code or name, or with `pedantic`.
        """
        on = max(_specificity(selector, code, name) for selector in (*self.select, *self.extend_select, ""))
        off = max(_specificity(selector, code, name) for selector in (*self.ignore, ""))
        needed = _EXACT if severity == "info" and not self.pedantic else 0
        return on > off and on >= needed

    def counts_as_safe(self, code: str, name: str) -> bool:
        """Tell whether `extend-safe-fixes` names the rule, so that its unsafe fixes are applied like safe ones."""
        return any(_specificity(selector, code, name) >= 0 for selector in self.extend_safe_fixes)


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says about settings; None and empty leave the file's word."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    pedantic: bool = False
    target_peft: str | None = None
    unsafe_fixes: bool = False
    isolated: bool = False
    config: str | None = None


def resolver(flags: Flags = Flags()) -> Callable[[str], Settings]:
    """Give the function that settles the settings for a file or folder, reading each settings file once.

    The nearest settings are taken, then the command line's word over them. The function raises SettingsError when
    they cannot be used.
    """

    @cache
    def given(config: str) -> Settings:
        settings = read(Path(config))
        if settings is None:
            raise SettingsError(f"{config}: there is no [tool.adalint] in it")
        return over(settings, flags)

    @cache
    def nearest(folder: str) -> Settings:
        for name in ("adalint.toml", "pyproject.toml"):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (settings := read(Path(path))) is not None:
                return over(settings, flags)
        parent = os.path.dirname(folder)
        return over(Settings(), flags) if parent == folder else nearest(parent)

    def resolve(path: str) -> Settings:
        if flags.isolated:
            return over(Settings(), flags)
        if flags.config is not None:
            return given(flags.config)
        place = os.path.abspath(path)
        return nearest(place if os.path.isdir(place) else os.path.dirname(place))

    return resolve


def over(settings: Settings, flags: Flags) -> Settings:
    """Put the command line's word over settings.

    `--select` starts afresh, so that what a file ignores can be looked at; `--ignore` and `--extend-select` add.

    Raises:
        SettingsError: a flag holds no selector or no release.
    """
    for option, selectors in (
        ("--select", flags.select),
        ("--ignore", flags.ignore),
        ("--extend-select", flags.extend_select),
    ):
        _selectors(list(selectors), option)
    if flags.target_peft is not None:
        settings = replace(
            settings, target_peft=_release(flags.target_peft, "--target-peft"), target_peft_source="--target-peft"
        )
    if flags.select:
        settings = replace(settings, select=flags.select, ignore=(), extend_select=())
    kept = tuple(selector for selector in settings.ignore if selector not in flags.extend_select)
    return replace(
        settings,
        ignore=(*kept, *flags.ignore),
        extend_select=(*settings.extend_select, *flags.extend_select),
        pedantic=settings.pedantic or flags.pedantic,
        unsafe_fixes=settings.unsafe_fixes or flags.unsafe_fixes,
    )


def read(path: Path) -> Settings | None:
    """Read one settings file; None when it is a `pyproject.toml` without `[tool.adalint]`.

    Raises:
        SettingsError: it cannot be read, is no TOML, or says something that is not known.
    """
    import tomllib

    shown = _shown(path)
    try:
        raw = path.read_bytes()
        if path.name == "pyproject.toml" and b"adalint" not in raw:
            return None  # someone else's file: not even its syntax is ours to judge
        document = tomllib.loads(raw.decode())
    except OSError as error:
        raise SettingsError(f"{shown}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{shown}: {error}") from None
    if path.name != "pyproject.toml":
        return parse(document, shown, str(path))
    tool = document.get("tool", {})
    if not isinstance(tool, dict) or "adalint" not in tool:
        return None
    return parse(tool["adalint"], f"{shown}: [tool.adalint]", str(path))


def parse(table: Any, place: str, origin: str | None = None) -> Settings:
    """Turn a table of settings, keys in kebab-case, into Settings; `place` is how errors call it.

    Raises:
        SettingsError: a key or value is not known, or has the wrong type.
    """
    settings: dict[str, Any] = {}
    for key, value in _table(table, place).items():
        reader = _READERS.get(key)
        if reader is None:
            raise SettingsError(f"{place}: unknown key {key!r}{nearest_word(key, _READERS)}")
        settings[key.replace("-", "_")] = reader(value, f"{place} {key}")
    if "target_peft" in settings:
        settings["target_peft_source"] = place
    return Settings(**settings, origin=origin)


def check_selectors(place: str, selectors: Iterable[str], rules: Iterable[tuple[str, str]]) -> None:
    """Check that each selector stands for at least one of `rules`, given as (code, name).

    Raises:
        SettingsError: one stands for none; the message names the nearest.
    """
    known = list(rules)
    for selector in selectors:
        if not any(_specificity(selector, code, name) >= 0 for code, name in known):
            near = nearest_word(selector, [handle for rule in known for handle in rule])
            raise SettingsError(f"{place}: no rule is called {selector!r}{near}")


def nearest_word(word: str, words: Iterable[str]) -> str:
    """Give `, did you mean 'x'?` for the word that is close to what was written, nothing when none is."""
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), {other.lower() for other in words}, n=1)
    return f", did you mean {next(other for other in words if other.lower() == near[0])!r}?" if near else ""


_EXACT: Final = 100


def _specificity(selector: str, code: str, name: str) -> int:
    if selector in {code, name}:
        return _EXACT
    if selector == ALL:
        return 0
    return len(selector) if selector and code.startswith(selector) else -1


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _table(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"{place}: a table is wanted, not {value!r}")
    return value


def _flag(value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{place}: true or false is wanted, not {value!r}")
    return value


def _strings(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise SettingsError(f"{place}: a list of strings is wanted, not {value!r}")
    return tuple(value)


def _selectors(value: Any, place: str) -> tuple[str, ...]:
    selectors = _strings(value, place)
    for selector in selectors:
        if selector != ALL and not _CODE_OR_PREFIX.fullmatch(selector) and not _NAME.fullmatch(selector):
            upper = selector.upper()
            near = f", did you mean {upper!r}?" if upper == ALL or _CODE_OR_PREFIX.fullmatch(upper) else ""
            raise SettingsError(f"{place}: {selector!r} is no code, name, prefix or ALL{near}")
    return selectors


def _release(value: Any, place: str) -> str:
    if not isinstance(value, str) or not _RELEASE.fullmatch(value):
        raise SettingsError(f'{place}: a release such as "0.15.2" is wanted, not {value!r}')
    return value


def _intent(value: Any, place: str) -> Mapping[str, str]:
    intent = _table(value, place)
    for key, word in intent.items():
        words = INTENTS.get(key)
        if words is None:
            raise SettingsError(f"{place}: unknown key {key!r}{nearest_word(key, INTENTS)}")
        if word not in words:
            near = nearest_word(word, words) if isinstance(word, str) else ""
            raise SettingsError(f"{place}.{key}: {word!r} is none of {', '.join(words)}{near}")
    return MappingProxyType(dict(intent))


_READERS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "select": _selectors,
    "ignore": _selectors,
    "extend-select": _selectors,
    "pedantic": _flag,
    "target-peft": _release,
    "intent": _intent,
    "extend-safe-fixes": _selectors,
    "unsafe-fixes": _flag,
    "exclude": _strings,
}
