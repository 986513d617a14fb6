"""The options that `check` and `fix` share, and the request that they make up."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from adalint.report import FORMATS
from adalint.settings import LANGUAGES, TARGETS, Flags, SettingsError, resolver

if TYPE_CHECKING:
    from collections.abc import Callable

    from adalint.settings import Settings


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asks of `check` or `fix`."""

    paths: tuple[str, ...]
    flags: Flags
    resolve: Callable[[str], Settings]
    """Settles the settings for a path; raises SettingsError."""
    output_format: str
    stdin_filename: str | None = None
    output_file: str | None = None
    exit_zero: bool = False
    quiet: bool = False
    verbose: bool = False
    hides_known: bool = False
    """Whether what a baseline knows is left out."""
    changed_since: str | None = None
    """The revision of git since which a file must have changed to be read."""
    locale: str = "en"
    """The language of the person who reads this run, where nobody has chosen one."""

    @property
    def reads_stdin(self) -> bool:
        """Whether the text comes through standard input."""
        return "-" in self.paths

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that were named, and those of the files that were."""
        named = (path if os.path.isdir(path) else os.path.dirname(path) or os.curdir for path in self.paths)
        return tuple(dict.fromkeys(named))

    @property
    def language(self) -> str:
        """The language of the run: that of the flag or the settings of the first path, else the reader's."""
        settled = self.resolve(self.stdin_filename or "." if self.reads_stdin else self.paths[0])
        return settled.language if settled.language_source else self.locale

    @property
    def for_people(self) -> bool:
        """Whether the format is one that people read."""
        return self.output_format in {"full", "concise"}


def _selectors(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(selector.strip() for one in value for selector in one.split(",") if selector.strip())


def complete_rules(_: click.Context, __: click.Parameter, incomplete: str) -> list[Any]:
    """Complete the name or code of a rule, the last one of a list."""
    from click.shell_completion import CompletionItem

    from adalint.rulebook.pages import load

    before, comma, last = incomplete.rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{handle}", help=rule.summary)
        for rule in load().rules.values()
        for handle in (rule.name, rule.code)
        if handle.startswith(last)
    ]


_RULES: dict[str, Any] = {
    "multiple": True,
    "metavar": "RULES",
    "callback": _selectors,
    "shell_complete": complete_rules,
}

NAMED = click.Path(readable=False)
"""A path that is opened later: adalint says itself what is wrong with it, and what to do."""

_PATHS = click.argument("paths", nargs=-1, type=NAMED)
_OPTIONS = (
    click.option("--select", help="Look for these rules only: codes, names, prefixes (ADA1) or ALL.", **_RULES),
    click.option("--ignore", help="Leave these rules out.", **_RULES),
    click.option("--extend-select", help="Look for these rules, too.", **_RULES),
    click.option("--pedantic", is_flag=True, help="Look for rules of severity info, too."),
    click.option("--target-peft", metavar="RELEASE", help="Judge by this release of PEFT, such as 0.15.2."),
    click.option("--target-transformers", metavar="RELEASE", help="Judge by this release of transformers."),
    click.option("--target-accelerate", metavar="RELEASE", help="Judge by this release of accelerate."),
    click.option(
        "--output-format",
        type=click.Choice(FORMATS),
        help="How findings are shown; full on a terminal, concise elsewhere.",
    ),
    click.option("--lang", type=click.Choice(LANGUAGES), help="Speak this language: English or Chinese."),
    click.option("--output-file", type=click.Path(dir_okay=False), help="Write findings to this file."),
    click.option("--stdin-filename", metavar="PATH", help="What to call the text that `-` reads from stdin."),
    click.option("--exit-zero", is_flag=True, help="Exit with 0 even when there are findings."),
    click.option("--config", type=NAMED, metavar="FILE", help="Take settings from this file."),
    click.option("--force-exclude", is_flag=True, help="Leave out what the settings exclude even where it is named."),
    click.option("--isolated", is_flag=True, help="Read no settings file."),
    click.option("--no-cache", is_flag=True, hidden=True),
    click.option("-j", "--jobs", type=click.IntRange(min=1), hidden=True),
    click.option("-q", "--quiet", is_flag=True, help="Print findings only."),
    click.option("-v", "--verbose", is_flag=True, help="Say which settings and release each file is judged by."),
)


BASELINE = click.option("--baseline", type=NAMED, metavar="FILE", help="The baseline to use.")


def narrowed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that leave out what is known, and what has not changed."""
    options = (
        BASELINE,
        click.option("--no-baseline", is_flag=True, help="Report what a baseline knows, too."),
        click.option("--changed-since", metavar="REV", help="Read only files changed since this revision of git."),
    )
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def lang(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--lang`; it is called with the language, the reader's own on a terminal."""

    @functools.wraps(command)
    def call(lang: str | None, **options: Any) -> None:
        command(language=lang or (locale() if sys.stdout.isatty() else "en"), **options)

    return click.option("--lang", type=click.Choice(LANGUAGES), help="Speak this language: English or Chinese.")(call)


def shared(command: Callable[..., None], paths: Callable[..., Any] = _PATHS) -> Callable[..., None]:
    """Give a command the shared options; it is called with a Request and its own options.

    `paths` is what takes the place of any number of paths, an argument of the same name that gives a tuple.
    """
    is_narrowed = any("--no-baseline" in one.opts for one in getattr(command, "__click_params__", ()))

    @functools.wraps(command)
    def call(
        unsafe_fixes: bool = False,
        baseline: str | None = None,
        no_baseline: bool = True,  # as with the commands that know of none
        changed_since: str | None = None,
        **options: Any,
    ) -> None:
        if baseline is not None and no_baseline and is_narrowed:
            raise click.UsageError("--baseline and --no-baseline contradict each other")
        names = ("select", "ignore", "extend_select", "pedantic", *TARGETS, "force_exclude", "config", "isolated")
        flags = Flags(
            **{name: options.pop(name) for name in names},
            language=options.pop("lang"),
            unsafe_fixes=unsafe_fixes,
            baseline=baseline,
        )
        for accepted in ("no_cache", "jobs"):
            options.pop(accepted)
        resolve = resolver(flags)
        output_format = options.pop("output_format") or _format(resolve)
        request = Request(
            paths=options.pop("paths") or (".",),
            stdin_filename=options.pop("stdin_filename"),
            flags=flags,
            output_format=output_format,
            output_file=options["output_file"],
            exit_zero=options.pop("exit_zero"),
            quiet=options.pop("quiet"),
            verbose=options.pop("verbose"),
            resolve=resolve,
            hides_known=not no_baseline and flags.take_a_baseline,
            changed_since=changed_since,
            locale=locale() if _is_read_here(output_format, options["output_file"]) else "en",
        )
        del options["output_file"]
        command(request, **options)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed((paths, *_OPTIONS)), call)


def _format(resolve: Callable[[str], Settings]) -> str:
    """Choose a format where the command line names none: the one of the settings here."""
    from adalint.cli.failure import Failure

    try:
        settled = resolve(".")
    except SettingsError as error:
        raise Failure(str(error)) from None
    return settled.output_format or _default_format()


def _is_read_here(output_format: str, output_file: str | None) -> bool:
    return output_format in {"full", "concise"} and output_file is None and sys.stdout.isatty()


def locale() -> str:
    """Tell the reader's language by the environment, as POSIX has it: the first of these that is set decides."""
    said = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, said), "").startswith("zh") else "en"


def _default_format() -> str:
    return "full" if sys.stdout.isatty() else "concise"
