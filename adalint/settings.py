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

from adalint.files import DEFAULT_EXCLUDE
from adalint.findings import Severity
from adalint.patterns import PatternError, compiled, matches
from adalint.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

INTENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "r": ("init_r", "final", "keep-today"),
    "reversed-ranks": ("swap", "lower-target", "raise-init"),
}
"""What can be declared under `intent`, and the words for it."""

TARGETS: Final = ("target_peft", "target_transformers", "target_accelerate")
"""The fields of Settings that hold a target release."""

LANGUAGES: Final = ("en", "zh")
ALL: Final = "ALL"
OFF: Final = "off"
SEVERITIES: Final = (*(str(severity) for severity in Severity), OFF)
"""The words for the severity of a rule."""

SELECTING: Final = ("select", "extend_select", "ignore", "extend_safe_fixes")
"""The fields of Settings that hold selectors and nothing else."""

_CODE_OR_PREFIX: Final = re.compile(r"ADA\d{0,3}|(?!ADA)[A-Z]{2,10}\d{0,5}")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_RELEASE: Final = re.compile(r"\d+(\.\d+){1,3}((a|b|rc|\.dev|\.post)\d+)?")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class SettingsError(Exception):
    """Settings that cannot be used; the message names the place, what is wrong, and what is near."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule is on, and what decided: a key of the settings and the word in it, both empty by default."""

    on: bool
    key: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settled decisions for one file.

    `select`, `ignore`, `extend_select` and `extend_safe_fixes` hold codes, names, prefixes (`ADA1`) or `ALL`, and so do
    the keys of `severity`, whose values are of `SEVERITIES`. `target_…` is a release, None when nobody says;
    `target_…_source` tells where it was taken from. `language_source` is None when nobody has chosen a language.
    `exclude`, `extend_exclude` and the globs of `per_file_ignores` are gitignore's language. They and `rule_dirs` are
    relative to the folder of `origin`, the file that all this was read from. `output_format` is None when nobody says.
    `ignored_here` are the `per_file_ignores` that name the file, each as (glob, selector). `baseline` is the file of
    known findings, None when nobody says; `known_here` counts those of the file that is checked, by rule and line.
    """

    select: tuple[str, ...] = (ALL,)
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    pedantic: bool = False
    severity: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    target_peft: str | None = None
    target_peft_source: str | None = None
    target_transformers: str | None = None
    target_transformers_source: str | None = None
    target_accelerate: str | None = None
    target_accelerate_source: str | None = None
    intent: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    extend_safe_fixes: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    rule_dirs: tuple[str, ...] = ()
    output_format: str | None = None
    language: str = "en"
    language_source: str | None = None
    origin: str | None = None
    ignored_here: tuple[tuple[str, str], ...] = ()
    baseline: str | None = None
    known_here: Mapping[tuple[str, str], int] = field(default_factory=lambda: MappingProxyType({}))

    def selected(self, code: str, name: str, severity: str) -> bool:
        """Tell whether a rule is on; `severity` is the one of its page."""
        return self.verdict(code, name, severity).on

    def verdict(self, code: str, name: str, severity: str) -> Verdict:
        """Decide whether a rule is on: the most specific selector decides, and `ignore` wins between equals.

        What `per-file-ignores` say of the file stands whatever is selected. A rule of severity info is on only when it
        is selected by its code or name, or with `pedantic`. `severity` is the one of the rule's page.
        """
        word, level = self._severity(code, name)
        if level == OFF:
            return Verdict(on=False, key="severity", word=word)
        for glob, selector in self.ignored_here:
            if stands_for(selector, code, name):
                return Verdict(on=False, key="per-file-ignores", word=glob)
        on, key, chosen = max(
            ((_specificity(word, code, name), key, word) for key, word in self._choices()),
            key=lambda choice: choice[0],
            default=(-1, "select", ""),
        )
        off, kept_out = max(((_specificity(word, code, name), word) for word in self.ignore), default=(-1, ""))
        if off >= max(on, 0):
            return Verdict(on=False, key="ignore", word=kept_out)
        if on < 0:
            return Verdict(on=False, key="select")
        if (level or severity) == Severity.INFO and on < _EXACT:
            return Verdict(on=self.pedantic, key="pedantic")
        return Verdict(on=True, key=key, word=chosen)

    def severity_of(self, code: str, name: str, severity: str) -> Severity:
        """Give the severity of a rule that is on; `severity` is the one of its page."""
        level = self._severity(code, name)[1]
        return Severity(severity if level in {"", OFF} else level)

    def counts_as_safe(self, code: str, name: str) -> bool:
        """Tell whether `extend-safe-fixes` names the rule, so that its unsafe fixes are applied like safe ones."""
        return any(stands_for(selector, code, name) for selector in self.extend_safe_fixes)

    def excludes(self, path: str) -> bool:
        """Tell whether `exclude` or `extend-exclude` names a file or a folder above it."""
        return any(matches(pattern, path, self.base) for pattern in (*self.exclude, *self.extend_exclude))

    @property
    def base(self) -> str:
        """The folder that patterns and folders are relative to."""
        return os.path.dirname(os.path.abspath(self.origin)) if self.origin else os.getcwd()

    @property
    def rule_folders(self) -> tuple[str, ...]:
        """The folders of `rule-dirs`, as absolute paths."""
        return tuple(os.path.normpath(os.path.join(self.base, folder)) for folder in self.rule_dirs)

    def _severity(self, code: str, name: str) -> tuple[str, str]:
        """Give the word that sets the severity of a rule and the severity that it sets, empty when none does."""
        _, word, level = max(
            ((_specificity(word, code, name), word, level) for word, level in self.severity.items()),
            default=(-1, "", ""),
        )
        return (word, level) if word and stands_for(word, code, name) else ("", "")

    def _choices(self) -> Iterator[tuple[str, str]]:
        yield from (("select", word) for word in self.select)
        yield from (("extend-select", word) for word in self.extend_select)


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says about settings; None and empty leave the file's word."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    pedantic: bool = False
    target_peft: str | None = None
    target_transformers: str | None = None
    target_accelerate: str | None = None
    language: str | None = None
    unsafe_fixes: bool = False
    force_exclude: bool = False
    baseline: str | None = None
    isolated: bool = False
    config: str | None = None

    @property
    def take_a_baseline(self) -> bool:
        """Whether a baseline counts: an isolated run takes only one that is named."""
        return self.baseline is not None or not self.isolated


def resolver(flags: Flags = Flags()) -> Callable[[str], Settings]:
    """Give the function that settles the settings for a file or folder, reading each settings file once.

    The nearest settings are taken, then the command line's word over them. The function raises SettingsError when
    they cannot be used.
    """

    @cache
    def alone() -> Settings:
        return over(Settings(), flags)

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
        return alone() if parent == folder else nearest(parent)

    def resolve(path: str) -> Settings:
        if flags.isolated:
            return alone()
        place = os.path.abspath(path)
        is_folder = os.path.isdir(place)
        if flags.config is not None:
            settled = given(flags.config)
        else:
            settled = nearest(place if is_folder else os.path.dirname(place))
        return settled if is_folder or not settled.per_file_ignores else _for_file(settled, place)

    return resolve


def _for_file(settled: Settings, path: str) -> Settings:
    here = tuple(
        (glob, selector)
        for glob, selectors in settled.per_file_ignores
        if matches(glob, path, settled.base)
        for selector in selectors
    )
    return replace(settled, ignored_here=here) if here else settled


def over(settings: Settings, flags: Flags) -> Settings:
    """Put the command line's word over settings.

    `--select` starts afresh, so that what a file ignores can be looked at; `--ignore` and `--extend-select` add. What
    `per-file-ignores` say stands.

    Raises:
        SettingsError: a flag holds no selector or no release.
    """
    for option, selectors in (
        ("--select", flags.select),
        ("--ignore", flags.ignore),
        ("--extend-select", flags.extend_select),
    ):
        _of_flag(_selectors, list(selectors), option)
    for name in TARGETS:
        release = getattr(flags, name)
        if release is not None:
            option = f"--{name.replace('_', '-')}"
            read = READERS[option.removeprefix("--")]
            settings = replace(settings, **{name: _of_flag(read, release, option), f"{name}_source": option})
    if flags.language is not None:
        said = _of_flag(_one_of(LANGUAGES), flags.language, "--lang")
        settings = replace(settings, language=said, language_source="--lang")
    if flags.baseline is not None:
        settings = replace(settings, baseline=os.path.abspath(_of_flag(_path, flags.baseline, "--baseline")))
    severity = settings.severity
    if flags.select:
        settings = replace(settings, select=flags.select, ignore=(), extend_select=())
        severity = {word: level for word, level in severity.items() if level != OFF}
    severity = {word: level for word, level in severity.items() if level != OFF or word not in flags.extend_select}
    kept = tuple(selector for selector in settings.ignore if selector not in flags.extend_select)
    return replace(
        settings,
        ignore=(*kept, *flags.ignore),
        extend_select=(*settings.extend_select, *flags.extend_select),
        severity=MappingProxyType(severity),
        pedantic=settings.pedantic or flags.pedantic,
        unsafe_fixes=settings.unsafe_fixes or flags.unsafe_fixes,
        force_exclude=settings.force_exclude or flags.force_exclude,
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
        text = raw.decode()
        document = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"{shown}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{shown}: {error}") from None
    if path.name != "pyproject.toml":
        return parse(document, Place(shown, text=text), str(path))
    tool = document.get("tool", {})
    if not isinstance(tool, dict) or "adalint" not in tool:
        return None
    return parse(tool["adalint"], Place(shown, PYPROJECT_TABLE, text), str(path))


PYPROJECT_TABLE: Final = ("tool", "adalint")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table of settings stands: how errors call its file, the table's keys, and the file's text."""

    shown: str
    table: tuple[str, ...] = ()
    text: str = ""

    def __str__(self) -> str:
        return f"{self.shown}: [{'.'.join(self.table)}]" if self.table else self.shown

    def of(self, keys: tuple[str, ...], word: str = "", *, inside: bool = False) -> str:
        """Say where a key stands, with its line; `inside` says that the last key is not to be named again."""
        line = _line_of(self.text, (*self.table, *keys), word)
        named = ".".join(keys[:-1] if inside else keys)
        table = f"[{'.'.join(self.table)}]" if self.table else ""
        where = " ".join(part for part in (table, named) if part)
        return f"{self.shown}{f':{line}' if line else ''}: {where}{': ' if where else ''}"


def parse(table: Any, place: Place, origin: str | None = None) -> Settings:
    """Turn a table of settings, keys in kebab-case, into Settings.

    Raises:
        SettingsError: a key or value is not known, or has the wrong type; the message names the line.
    """
    settings: dict[str, Any] = {}
    try:
        for key, value in _table(table).items():
            reader = READERS.get(key)
            if reader is None:
                raise _Wrong(f"unknown key {key!r}{nearest_word(key, READERS)}", (key,), unknown=True)
            try:
                settings[FIELD_OF_KEY.get(key, key.replace("-", "_"))] = reader(value)
            except _Wrong as wrong:
                raise _Wrong(wrong.reason, (key, *wrong.keys), wrong.word, unknown=wrong.unknown) from None
    except _Wrong as wrong:
        raise SettingsError(place.of(wrong.keys, wrong.word, inside=wrong.unknown) + wrong.reason) from None
    for name in TARGETS:
        if name in settings:
            settings[f"{name}_source"] = str(place)
    if "language" in settings:
        settings["language_source"] = str(place)
    return Settings(**settings, origin=origin)


class _Wrong(Exception):
    """A key or value that cannot be used: why, the keys that lead there, and the word in question.

    `unknown` says that the last key itself is what is wrong.
    """

    def __init__(self, reason: str, keys: tuple[str, ...] = (), word: str = "", *, unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.keys = keys
        self.word = word
        self.unknown = unknown


def check_selectors(place: str, selectors: Iterable[str], rules: Iterable[tuple[str, str]]) -> None:
    """Check that each selector stands for at least one of `rules`, given as (code, name).

    Raises:
        SettingsError: one stands for none; the message names the nearest.
    """
    known = list(rules)
    for selector in selectors:
        if complaint := _names_no_rule(selector, known):
            raise SettingsError(f"{place}: {complaint}")


def check_words(settled: Settings, rules: Iterable[tuple[str, str]], flags: Flags = Flags()) -> None:
    """Check that every selector that a settings file writes stands for at least one of `rules`.

    Raises:
        SettingsError: one stands for none; the message names the line and the nearest.
    """
    known = list(rules)
    of_flags = {*flags.select, *flags.ignore, *flags.extend_select}
    for keys, selector in _written_selectors(settled):
        if selector not in of_flags and (complaint := _names_no_rule(selector, known)):
            raise SettingsError(_place_of(settled).of(keys, selector) + complaint)


def names_rules(settled: Settings) -> bool:
    """Tell whether the settings name any rule, so that the names are worth checking."""
    return any(selector != ALL for _, selector in _written_selectors(settled))


def _written_selectors(settled: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    for name in SELECTING:
        yield from (((name.replace("_", "-"),), selector) for selector in getattr(settled, name))
    yield from ((("severity", selector), selector) for selector in settled.severity)
    for glob, selectors in settled.per_file_ignores:
        yield from ((("per-file-ignores", glob), selector) for selector in selectors)


def _place_of(settled: Settings) -> Place:
    if settled.origin is None:
        return Place("settings")
    path = Path(settled.origin)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    return Place(_shown(path), PYPROJECT_TABLE if path.name == "pyproject.toml" else (), text)


def settings_error(settled: Settings, keys: tuple[str, ...], word: str, reason: str) -> SettingsError:
    """Make the error that says what is wrong with a word under keys of the file that settings were read from."""
    return SettingsError(_place_of(settled).of(keys, word) + reason)


def _names_no_rule(selector: str, rules: list[tuple[str, str]]) -> str | None:
    if any(stands_for(selector, code, name) for code, name in rules):
        return None
    return f"no rule is called {selector!r}{nearest_word(selector, [handle for rule in rules for handle in rule])}"


def nearest_word(word: str, words: Iterable[str]) -> str:
    """Give `, did you mean 'x'?` for the word that is close to what was written, nothing when none is."""
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), {other.lower() for other in words}, n=1)
    return f", did you mean {next(other for other in words if other.lower() == near[0])!r}?" if near else ""


_EXACT: Final = 100


def stands_for(selector: str, code: str, name: str) -> bool:
    """Tell whether a selector (a code, a name, a prefix or `ALL`) stands for a rule."""
    return _specificity(selector, code, name) >= 0


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


_HEADER: Final = re.compile(r"\s*\[\[?\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_PART: Final = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_KEY: Final = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")


def _line_of(text: str, path: tuple[str, ...], word: str) -> int | None:
    """Find the line of a key in a TOML text, or the line below it that holds the word; None when there is none.

    `tomllib` keeps no positions.
    """
    header: tuple[str, ...] = ()
    found = depth = 0
    quote = ""
    open_ = False
    for row, line in enumerate(text.splitlines(), start=1):
        here: tuple[str, ...] | None = None
        if quote:
            quote = "" if quote in line else quote
            continue
        quote = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")
        if match := _HEADER.match(line):
            here = header = _parts(match[1])
        elif match := _KEY.match(line):
            here = header + _parts(match[1])
        if here is not None:
            shared = next((n for n, (a, b) in enumerate(zip(here, path, strict=False)) if a != b), None)
            shared = min(len(here), len(path)) if shared is None else shared
            open_ = shared > depth
            found, depth = (row, shared) if open_ else (found, depth)
        if open_ and word and depth == len(path) and word in line:
            return row
    return found or None


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _of_flag(reader: Callable[[Any], Any], value: Any, option: str) -> Any:
    try:
        return reader(value)
    except _Wrong as wrong:
        raise SettingsError(f"{option}: {wrong.reason}") from None


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(f"a table is wanted, not {value!r}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"true or false is wanted, not {value!r}")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _Wrong(f"a list of strings is wanted, not {value!r}")
    return tuple(value)


def _path(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _Wrong(f"the path of a file is wanted, not {value!r}")
    return value


def _selectors(value: Any) -> tuple[str, ...]:
    return tuple(_selector(one) for one in _strings(value))


def _selector(selector: str) -> str:
    if selector == ALL or _CODE_OR_PREFIX.fullmatch(selector) or _NAME.fullmatch(selector):
        return selector
    upper = selector.upper()
    is_code = re.search(r"\d", upper) is not None or "ADA".startswith(upper)
    near = f", did you mean {upper!r}?" if upper == ALL or (is_code and _CODE_OR_PREFIX.fullmatch(upper)) else ""
    raise _Wrong(f"{selector!r} is no code, name, prefix or ALL{near}", word=selector)


def _release(value: Any) -> str:
    if not isinstance(value, str) or not _RELEASE.fullmatch(value):
        raise _Wrong(f'a release such as "0.15.2" is wanted, not {value!r}')
    return value


def _release_of_peft(value: Any) -> str:
    release = _release(value)
    if tuple(map(int, re.findall(r"\d+", release)[:2])) < (0, 3):
        raise _Wrong(f"PEFT has AdaLoRA since 0.3.0, not in {release}")
    return release


def _one_of(words: tuple[str, ...]) -> Callable[[Any], str]:
    def reader(value: Any) -> str:
        if value not in words:
            near = nearest_word(value, words) if isinstance(value, str) else ""
            raise _Wrong(f"{value!r} is none of {', '.join(words)}{near}")
        return str(value)

    return reader


def _each(value: Any, readers: Callable[[str], Callable[[Any], Any]]) -> dict[str, Any]:
    """Read a table whose keys tell how their values are read; a complaint names the key."""
    table = {}
    for key, one in _table(value).items():
        try:
            table[key] = readers(key)(one)
        except _Wrong as wrong:
            raise _Wrong(wrong.reason, (key, *wrong.keys), wrong.word, unknown=wrong.unknown) from None
    return table


def _intent(value: Any) -> Mapping[str, str]:
    def reader(key: str) -> Callable[[Any], str]:
        if key not in INTENTS:
            raise _Wrong(f"unknown key {key!r}{nearest_word(key, INTENTS)}", unknown=True)
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
            raise _Wrong(f"{glob!r}: a pattern says which files, not which not")
        _pattern(glob)
        return _selectors

    return tuple(_each(value, reader).items())


def _patterns(value: Any) -> tuple[str, ...]:
    return tuple(_pattern(one) for one in _strings(value))


def _pattern(pattern: str) -> str:
    try:
        compiled(pattern)
    except PatternError as error:
        raise _Wrong(f"the pattern {pattern!r} cannot be read: {error}", word=pattern) from None
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
