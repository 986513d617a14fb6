"""The options that `check` and `fix` share, and the request that they make up."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from adalint.settings import Flags

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = ("full", "concise", "json", "lsp")


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asks of `check` or `fix`."""

    paths: tuple[str, ...]
    stdin_filename: str | None
    flags: Flags
    output_format: str
    output_file: str | None
    exit_zero: bool
    quiet: bool
    verbose: bool

    @property
    def reads_stdin(self) -> bool:
        """Whether the text comes through standard input."""
        return "-" in self.paths

    @property
    def for_people(self) -> bool:
        """Whether the format is one that people read."""
        return self.output_format in {"full", "concise"}


def _selectors(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(selector.strip() for one in value for selector in one.split(",") if selector.strip())


_RULES: dict[str, Any] = {"multiple": True, "metavar": "RULES", "callback": _selectors}

_OPTIONS = (
    click.argument("paths", nargs=-1, type=click.Path()),
    click.option("--select", help="Look for these rules only: codes, names, prefixes (ADA1) or ALL.", **_RULES),
    click.option("--ignore", help="Leave these rules out.", **_RULES),
    click.option("--extend-select", help="Look for these rules, too.", **_RULES),
    click.option("--pedantic", is_flag=True, help="Look for rules of severity info, too."),
    click.option("--target-peft", metavar="RELEASE", help="Judge by this release of PEFT, such as 0.15.2."),
    click.option(
        "--output-format",
        type=click.Choice(FORMATS),
        help="How findings are shown; full on a terminal, concise elsewhere.",
    ),
    click.option("--output-file", type=click.Path(dir_okay=False), help="Write findings to this file."),
    click.option("--stdin-filename", metavar="PATH", help="What to call the text that `-` reads from stdin."),
    click.option("--exit-zero", is_flag=True, help="Exit with 0 even when there are findings."),
    click.option("--config", type=click.Path(), metavar="FILE", help="Take settings from this file."),
    click.option("--isolated", is_flag=True, help="Read no settings file."),
    click.option("--no-cache", is_flag=True, hidden=True),
    click.option("-q", "--quiet", is_flag=True, help="Print findings only."),
    click.option("-v", "--verbose", is_flag=True, help="Say which settings and release each file is judged by."),
)


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options; it is called with a Request and its own options."""

    @functools.wraps(command)
    def call(unsafe_fixes: bool = False, **options: Any) -> None:
        names = ("select", "ignore", "extend_select", "pedantic", "target_peft", "config", "isolated")
        flags = Flags(**{name: options.pop(name) for name in names}, unsafe_fixes=unsafe_fixes)
        options.pop("no_cache")
        request = Request(
            paths=options.pop("paths") or (".",),
            stdin_filename=options.pop("stdin_filename"),
            flags=flags,
            output_format=options.pop("output_format") or _default_format(),
            output_file=options.pop("output_file"),
            exit_zero=options.pop("exit_zero"),
            quiet=options.pop("quiet"),
            verbose=options.pop("verbose"),
        )
        command(request, **options)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), call)


def _default_format() -> str:
    return "full" if sys.stdout.isatty() else "concise"
