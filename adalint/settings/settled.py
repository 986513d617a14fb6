"""The settled decisions for one file: which rules, which release, which reading of an ambiguous configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from adalint.files import DEFAULT_EXCLUDE
from adalint.findings import Severity
from adalint.patterns import matches
from adalint.settings.selectors import ALL, EXACT, specificity, stands_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TARGETS: Final = ("target_peft", "target_transformers", "target_accelerate")
"""The fields of Settings that hold a target release."""
OFF: Final = "off"
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
            ((specificity(word, code, name), key, word) for key, word in self._choices()),
            key=lambda choice: choice[0],
            default=(-1, "select", ""),
        )
        off, kept_out = max(((specificity(word, code, name), word) for word in self.ignore), default=(-1, ""))
        if off >= max(on, 0):
            return Verdict(on=False, key="ignore", word=kept_out)
        if on < 0:
            return Verdict(on=False, key="select")
        if (level or severity) == Severity.INFO and on < EXACT:
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
            ((specificity(word, code, name), word, level) for word, level in self.severity.items()),
            default=(-1, "", ""),
        )
        return (word, level) if word and stands_for(word, code, name) else ("", "")

    def _choices(self) -> Iterator[tuple[str, str]]:
        yield from (("select", word) for word in self.select)
        yield from (("extend-select", word) for word in self.extend_select)
