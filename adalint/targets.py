"""The releases of PEFT, transformers and accelerate that a project pins, and so is judged by.

The nearest pins upward of a file count, up to the root of the repository; in one folder lock files come first, then
`requirements*.txt`, conda environments, and `pyproject.toml`. A file that cannot be read, or makes no sense, pins
nothing. Markers are asked for Linux, where models are trained, and the Python that runs adalint.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import shlex
import tomllib
from dataclasses import dataclass, replace
from fnmatch import fnmatch, translate
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from adalint import files
from adalint.releases import NEWEST, newest_allowed
from adalint.report.words import shown_path
from adalint.source import Kind, SourceError
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from adalint.settings import Settings
    from adalint.site import Site
    from adalint.source import Source

PACKAGES: Final = ("peft", "transformers", "accelerate")
"""The packages whose releases decide what a configuration does."""

FRAMEWORKS: Final = ("ms-swift",)
"""The packages of frameworks that have renamed options: `adalint.dialects` asks for their pins itself."""

_READ: Final = (*PACKAGES, *FRAMEWORKS)

LAST: Final = 99
"""Stands for the last number of a series that an upper bound ends: below 4.42 lies 4.41.99."""

PIN_FILES: Final = (
    *("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pylock.*.toml", "Pipfile.lock"),
    *("requirements.txt", "requirements*.txt"),
    *("environment*.yml", "environment*.yaml", "conda.yml", "conda.yaml"),
    "pyproject.toml",
)
"""Names of files that hold pins, the most telling first."""

_MAY_PIN: Final = re.compile("|".join(map(translate, PIN_FILES)), re.IGNORECASE)
"""Tells at once that a name is none of these: nearly every file of a folder."""

_MAX_INCLUDES: Final = 50
_LINUX: Final = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "extra": "",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """What a project says about one package.

    `release` is the one to judge by, None when the text does not tell (a branch of a repository). `source` is the
    place and the words: `requirements.txt:3: peft==0.14.0`.
    """

    release: str | None
    source: str


@dataclass(frozen=True, slots=True)
class _Said:
    """One requirement: the package, the specifiers (None for an address that tells no release), and where it stands."""

    package: str
    specifiers: str | None
    text: str
    path: str
    row: int | None = None

    @property
    def source(self) -> str:
        place = shown_path(self.path) if self.row is None else f"{shown_path(self.path)}:{self.row}"
        return f"{place}: {' '.join(self.text.split())}"


def finder() -> Callable[[str], Mapping[str, Pin]]:
    """Give the function that finds the nearest pins upward of a file, by package; each folder is looked at once."""

    @cache
    def nearest(folder: str) -> Mapping[str, Pin]:
        own = pins_in(folder)
        parent = os.path.dirname(folder)
        if parent == folder or os.path.lexists(os.path.join(folder, ".git")):
            return own
        return {**nearest(parent), **own} if own else nearest(parent)

    return lambda path: nearest(os.path.dirname(os.path.abspath(path)))


def over(settings: Settings, pins: Mapping[str, Pin]) -> Settings:
    """Fill in the targets that neither flags nor settings name."""
    said: dict[str, Any] = {}
    for package, pin in pins.items():
        if package in PACKAGES and getattr(settings, f"target_{package}") is None:
            said |= {f"target_{package}": pin.release, f"target_{package}_source": pin.source}
    return replace(settings, **said) if said else settings


def release_for(site: Site, settings: Settings) -> str:
    """Tell the release of PEFT to judge a configuration by: the target, else what its framework or its saving names."""
    if settings.target_peft is not None:
        return settings.target_peft
    if site.framework is not None and site.framework.peft is not None:
        return newest_allowed(site.framework.peft) or NEWEST
    written = site.values.get("peft_version") if site.saved else None
    if written is None or not isinstance(written.expr, Literal) or not isinstance(written.expr.value, str):
        return NEWEST
    # A development build adds the commit: `0.18.1.dev0@3f1d`.
    version = _version(written.expr.value.partition("@")[0])
    return NEWEST if version is None else version.public


def pins_within(source: Source) -> Mapping[str, Pin]:
    """Read what a notebook installs itself, `%pip install peft==0.14.0`, the last word of each package."""
    if source.kind is not Kind.NOTEBOOK:
        return {}
    from adalint.embedded import installs_in

    pins: dict[str, Pin] = {}
    for cell, command in installs_in(source):
        pins |= pins_of_command(command, f"{source.path}:cell {cell}")
    return pins


def pins_in(folder: str) -> Mapping[str, Pin]:
    """Read the pins of one folder."""
    try:
        names = sorted(name for name in os.listdir(folder) if _MAY_PIN.match(name))
    except OSError:
        return {}
    pins: dict[str, Pin] = {}
    found = dict.fromkeys(name for pattern in PIN_FILES for name in names if fnmatch(name, pattern))
    for name in found:
        pins = {**pins_of(os.path.join(folder, name)), **pins}
    return pins


def pins_of(path: str) -> Mapping[str, Pin]:
    """Read the pins of one file, told by its name what it is."""
    text = _text_of(path)
    if text is None:
        return {}
    name = os.path.basename(path)
    try:
        if name == "pyproject.toml":
            return _of_pyproject(path, text)
        if name.endswith((".yml", ".yaml")):
            return _together(_conda(path, text))
        if name.endswith(".txt"):
            return _together(_requirements(path, text, [path]))
        return _newest(_pipfile_lock(path, text) if name == "Pipfile.lock" else _lock(path, text))
    except (ValueError, TypeError, AttributeError, RecursionError):
        # Whatever shape it has, somebody else's file ends no run.
        return {}


def pins_of_command(command: str, place: str) -> Mapping[str, Pin]:
    """Read what a line of a notebook or shell installs: `%pip install peft==0.14.0`.

    `place` is what stands for the file in the pins' sources.
    """
    try:
        words = shlex.split(command.strip().lstrip("!%"), comments=True)
    except ValueError:
        return {}
    if "install" not in words or not words[0].startswith(("pip", "uv", "python", "conda", "mamba")):
        return {}
    parse = _conda_spec if words[0] in {"conda", "mamba"} else _requirement
    wanted = [word for word in words[words.index("install") + 1 :] if not word.startswith("-")]
    return _together(said for word in wanted if (said := parse(word, place, None)) is not None)


def _text_of(path: str) -> str | None:
    try:
        raw = files.read(path)
    except (SourceError, OSError):
        return None
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if raw.startswith(mark):  # `pip freeze > requirements.txt` in PowerShell
            return raw[len(mark) :].decode(codec, errors="replace")
    return raw.removeprefix(codecs.BOM_UTF8).decode(errors="replace")


# What several requirements come to


def _together(said: Iterable[_Said]) -> dict[str, Pin]:
    """Take all requirements of a package at once, as an installer does."""
    grouped: dict[str, list[_Said]] = {}
    for one in said:
        grouped.setdefault(one.package, []).append(one)
    pins = {}
    for package, group in grouped.items():
        known = [one.specifiers for one in group if one.specifiers is not None]
        release = _release(package, ",".join(filter(None, known)))
        telling = next((one for one in group if one.specifiers and _release(package, one.specifiers)), None)
        address = next((one for one in group if one.specifiers is None), None)
        if telling is not None:
            pins[package] = Pin(release or _release(package, telling.specifiers or ""), telling.source)
        elif address is not None:
            pins[package] = Pin(None, address.source)
    return pins


def _newest(said: Iterable[_Said]) -> dict[str, Pin]:
    """Take the newest of several requirements that do not hold at once: extras, forks of a lock."""
    pins: dict[str, Pin] = {}
    for one in said:
        for package, pin in _together([one]).items():
            known = pins.get(package)
            if known is None or (pin.release and (known.release is None or _is_newer(pin.release, known.release))):
                pins[package] = pin
    return pins


def _is_newer(release: str, other: str) -> bool:
    return Version(release) > Version(other)


def _release(package: str, specifiers: str) -> str | None:
    """Give the newest release that a range allows, as far as anybody knows; None when it only has a lower bound."""
    try:
        wanted = SpecifierSet(specifiers)
    except InvalidSpecifier:
        return None
    exact = next((version for one in wanted if (version := _exact(one)) is not None), None)
    if exact is not None:
        return exact.public
    ends = [end for one in wanted if (end := _end(one)) is not None]
    if package != "peft":
        return str(min(ends)) if ends else None
    known = newest_allowed(specifiers)
    if known is None:
        # Nothing that we know: it matters only when it is newer than that.
        starts = [start for one in wanted if (start := _start(one)) is not None]
        return str(max(starts)) if starts and max(starts) > Version(NEWEST) else None
    return known if ends or known != NEWEST else None


def _exact(specifier: Specifier) -> Version | None:
    exact = specifier.operator in {"==", "==="} and not specifier.version.endswith(".*")
    return _version(specifier.version) if exact else None


def _start(specifier: Specifier) -> Version | None:
    if specifier.operator not in {">=", ">", "~=", "=="}:
        return None
    return _version(specifier.version.removesuffix(".*"))


def _end(specifier: Specifier) -> Version | None:
    """Give the newest release that an upper bound allows, LAST standing for a number that nobody knows."""
    version = _version(specifier.version.removesuffix(".*"))
    if version is None:
        return None
    match specifier.operator:
        case "<=":
            return version
        case "<":
            return _below(version.release)
        case "~=":
            return _below(_bumped(version.release[:-1]))
        case "==":
            return _below(_bumped(version.release))
    return None


def _bumped(release: Sequence[int]) -> tuple[int, ...]:
    return (*release[:-1], release[-1] + 1)


def _below(release: Sequence[int]) -> Version | None:
    numbers = list(release)
    while numbers and numbers[-1] == 0:
        numbers.pop()
    if not numbers:
        return None
    numbers[-1] -= 1
    return Version(".".join(map(str, [*numbers, LAST] if len(numbers) < 3 else numbers)))


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _applies(marker: object) -> bool:
    if not isinstance(marker, str) or not marker:
        return True
    try:
        return Marker(marker).evaluate(_LINUX)
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion, KeyError):
        return True


# One requirement


def _requirement(text: str, path: str, row: int | None) -> _Said | None:
    """Read a requirement as pip takes it: by name, or by an address alone."""
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        return _address(_name_in(text), text, path, row) if "://" in text else None
    if not _applies(str(wanted.marker) if wanted.marker else None):
        return None
    name = canonicalize_name(wanted.name)
    if wanted.url:
        return _address(name, wanted.url, path, row, text)
    return _Said(name, str(wanted.specifier), text, path, row) if name in _READ else None


_TELLING = re.compile(r"[@/-]v?(\d+(?:\.\d+)+)(?=$|[#&-]|\.zip|\.tar\.gz)")


def _address(name: str | None, url: str, path: str, row: int | None, text: str | None = None) -> _Said | None:
    """Take a release from a tag or a file's name in an address; a branch or commit tells none."""
    if name not in _READ:
        return None
    told = _TELLING.search(url)
    return _Said(name, f"=={told.group(1)}" if told else None, text or url, path, row)


def _name_in(url: str) -> str | None:
    egg = re.search(r"[#&]egg=([\w.-]+)", url)
    if egg:
        return canonicalize_name(egg.group(1))
    place = url.partition("#")[0].rpartition("@")[0] or url.partition("#")[0]
    last = (place if "://" in place else url).rstrip("/").rpartition("/")[2]
    return canonicalize_name(last.removesuffix(".git").partition("-")[0])


# requirements*.txt

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_INCLUDE = re.compile(r"(?:-r|-c|--requirements?|--constraints?)(?:\s*=\s*|\s+|(?<=-[rc]))(.+)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s+)")
_OPTIONS = re.compile(r"(?<=\s)--?[a-z].*", re.DOTALL)


def _requirements(path: str, text: str, seen: list[str]) -> Iterator[_Said]:
    for row, line in _logical_lines(text):
        include = _INCLUDE.fullmatch(line)
        if include:
            yield from _included(os.path.join(os.path.dirname(path), include.group(1).strip("\"' ")), seen)
            continue
        wanted = _OPTIONS.sub("", _EDITABLE.sub("", line)).strip()
        said = _requirement(wanted, path, row) if wanted and not wanted.startswith("-") else None
        if said is not None:
            yield said


def _included(path: str, seen: list[str]) -> Iterator[_Said]:
    path = os.path.normpath(path)
    if path in seen or len(seen) >= _MAX_INCLUDES:
        return
    seen.append(path)
    text = _text_of(path)
    if text is not None:
        yield from _requirements(path, text, seen)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join the lines that a backslash continues, without comments; the row is that of the first."""
    start = 1
    parts: list[str] = []
    for row, line in enumerate(text.splitlines(), 1):
        if not parts:
            start = row
        continued = line.endswith("\\") and not line.lstrip().startswith("#")
        parts.append(line[:-1] if continued else line)
        if not continued:
            joined = _COMMENT.sub("", " ".join(parts)).strip()
            parts = []
            if joined:
                yield start, joined
    if parts:
        yield start, _COMMENT.sub("", " ".join(parts)).strip()


# Conda environments

_ITEM = re.compile(r"(?P<indent>\s*)-\s+(?P<quote>[\"']?)(?P<item>.*?)(?P=quote)")
_MATCH_SPEC = re.compile(r"(?:[\w./-]+::)?(?P<name>[\w.-]+)\s*(?P<version>[^\s\[]*(?:\s*[,|]\s*[^\s\[]+)*)")


def _conda(path: str, text: str) -> Iterator[_Said]:
    """Read the items of `dependencies` line by line: such files are flat lists, and templates are no YAML."""
    pip: int | None = None
    for row, line in enumerate(text.splitlines(), 1):
        item = _ITEM.fullmatch(_COMMENT.sub("", line).rstrip())
        if item is None:
            continue
        indent = len(item["indent"])
        if pip is not None and indent <= pip:
            pip = None
        if item["item"] in {"pip:", "pip :"}:
            pip = indent
        elif pip is None:
            said = _conda_spec(item["item"], path, row)
            if said is not None:
                yield said
        else:
            for one in _requirements(path, item["item"], [path]):
                yield replace(one, row=row) if one.path == path else one


def _conda_spec(text: str, path: str, row: int | None) -> _Said | None:
    spec = _MATCH_SPEC.match(text.strip())
    if spec is None or spec["name"].lower() not in _READ:
        return None
    name = spec["name"].lower()
    alternatives = [_conda_version(one) for one in spec["version"].split("|")]
    return _Said(name, _newest_alternative(name, alternatives), text, path, row)


def _conda_version(text: str) -> str:
    parts = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        operator = re.match(r"[<>=!~]*", part)
        version = part[operator.end() if operator else 0 :].partition("=")[0]
        match operator.group() if operator else "":
            case "=":
                parts.append(f"=={version.removesuffix('*').removesuffix('.')}.*")
            case "":
                parts.append(f"=={version}" if version != "*" else "")
            case other:
                parts.append(f"{other}{version}")
    return ",".join(filter(None, parts))


def _newest_alternative(package: str, alternatives: Sequence[str]) -> str:
    """Choose among ranges of which any one may hold: the newest; one without an end is above all."""
    released = {one: _release(package, one) for one in alternatives}
    endless = next((one for one, release in released.items() if release is None), None)
    if endless is not None:
        return endless
    return max(alternatives, key=lambda one: Version(released[one] or "0"))


# Locks

_BLOCK = re.compile(r"^\[\[packages?\]\][ \t]*(?:#.*)?$", re.MULTILINE)
_NAMED = re.compile(rf"^name\s*=\s*[\"'](?:{'|'.join(_READ)})[\"']", re.MULTILINE)


def _lock(path: str, text: str) -> Iterator[_Said]:
    """Read the tables of a lock that are ours, one by one: a lock is long, and may be broken elsewhere."""
    starts = [match.start() for match in _BLOCK.finditer(text)]
    for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        block = text[start:stop]
        if not _NAMED.search(block):
            continue
        try:
            document = tomllib.loads(block)
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        [table] = document.get("package") or document["packages"]
        version = _version(str(table.get("version")))
        if version is None or not _is_wanted(table):
            continue
        name, release = table["name"], version.public
        row = text.count("\n", 0, start) + 1
        row += next((index for index, line in enumerate(block.split("\n")) if re.match(r"version\s*=", line)), 0)
        yield _Said(name, f"=={release}", f"{name} {release}", path, row)


def _is_wanted(table: Mapping[str, Any]) -> bool:
    """Tell whether a locked package is one that is installed here: uv forks, Poetry and pip use markers."""
    marker = table.get("marker", table.get("markers"))
    forks = table.get("resolution-markers")
    return _applies(marker) and (not isinstance(forks, list) or any(map(_applies, forks)))


def _pipfile_lock(path: str, text: str) -> Iterator[_Said]:
    document = json.loads(text)
    for section in ("default", "develop"):
        for name, entry in document.get(section, {}).items():
            if name not in _READ or not _applies(entry.get("markers")):
                continue
            row = _row_of(text, re.compile(rf'\s*"{name}"\s*:'))
            specifiers = entry.get("version")
            said = _Said(name, specifiers, f"{name}{specifiers or ''}", path, row)
            yield said if specifiers else replace(said, text=f"{name} from {entry.get('git', 'elsewhere')}")


# pyproject.toml


def _of_pyproject(path: str, text: str) -> dict[str, Pin]:
    if not any(package in text.lower() for package in _READ):
        return {}
    document = tomllib.loads(text)
    project, tool = document.get("project", {}), document.get("tool", {})
    poetry, uv = tool.get("poetry", {}), tool.get("uv", {})
    groups = [
        *project.get("optional-dependencies", {}).values(),
        *document.get("dependency-groups", {}).values(),
        uv.get("dev-dependencies", []),
    ]
    tables = [
        poetry.get("dev-dependencies", {}),
        *(group.get("dependencies", {}) for group in poetry.get("group", {}).values()),
    ]
    always = [
        *_uv_sources(uv.get("sources", {}), path, text),
        *_listed(project.get("dependencies", []), path, text),
        *_poetry(poetry.get("dependencies", {}), path, text),
    ]
    sometimes = [
        *(said for group in groups for said in _listed(group, path, text)),
        *(said for table in tables for said in _poetry(table, path, text)),
    ]
    pins = _together([*always, *_listed(uv.get("constraint-dependencies", []), path, text)])
    overridden = _together(_listed(uv.get("override-dependencies", []), path, text))
    return {**_newest(sometimes), **pins, **overridden}


def _listed(requirements: Sequence[Any], path: str, text: str) -> Iterator[_Said]:
    for one in requirements:
        if isinstance(one, str):
            said = _requirement(one, path, None)
            if said is not None:
                yield replace(said, row=_row_of(text, re.compile(rf".*[\"']{re.escape(one)}[\"']")))


def _uv_sources(sources: Mapping[str, Any], path: str, text: str) -> Iterator[_Said]:
    for name, source in sources.items():
        if isinstance(source, dict) and source.keys() & {"git", "url", "path"}:
            url = f"{source.get('git') or source.get('url') or source.get('path')}@{source.get('tag', '')}"
            said = _address(canonicalize_name(name), url.rstrip("@"), path, None)
            if said is not None:
                row = _row_of(text, re.compile(rf"\s*{re.escape(name)}\s*="))
                yield replace(said, text=f"{name} from {said.text}", row=row)


def _poetry(table: Mapping[str, Any], path: str, text: str) -> Iterator[_Said]:
    for name, wanted in table.items():
        package = canonicalize_name(name)
        if package not in _READ:
            continue
        row = _row_of(text, re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*="))
        for one in wanted if isinstance(wanted, list) else [wanted]:
            entry = one if isinstance(one, dict) else {"version": one}
            if not _applies(entry.get("markers")):
                continue
            version = entry.get("version")
            if isinstance(version, str):
                specifiers = _newest_alternative(package, [_poetry_version(part) for part in version.split("||")])
                yield _Said(package, specifiers, f'{name} = "{version}"', path, row)
            elif entry.keys() & {"git", "url", "path"}:
                url = str(entry.get("git") or entry.get("url") or entry.get("path"))
                said = _address(package, f"{url}@{entry.get('tag', '')}".rstrip("@"), path, row)
                if said is not None:
                    yield replace(said, text=f"{name} from {said.text}")


def _poetry_version(text: str) -> str:
    """Write Poetry's carets, tildes and bare versions as PEP 440 does."""
    parts = []
    for part in filter(None, re.split(r"\s*,\s*|\s+(?=[<>=!~^])", text.strip())):
        sign, version = part[0], part[1:].strip()
        numbers = version_.release if (version_ := _version(version)) else ()
        if sign == "^" and numbers:
            lead = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
            parts.append(f">={version},<{'.'.join(map(str, _bumped(numbers[: lead + 1])))}")
        elif sign == "~" and numbers:
            parts.append(f">={version},<{'.'.join(map(str, _bumped(numbers[:2])))}")
        elif part[0].isdigit():
            parts.append(f"=={part}")
        elif part != "*":
            parts.append(part)
    return ",".join(parts)


def _row_of(text: str, pattern: re.Pattern[str]) -> int | None:
    return next((row for row, line in enumerate(text.split("\n"), 1) if pattern.match(line)), None)
