"""Reading the words of a command line that speak a framework's dialect, as Sites with PEFT's own names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adalint.dialects import spoken_in
from adalint.dialects.reading import Written, site_of
from adalint.readers.shell_words import options
from adalint.schema import FIELDS
from adalint.source import Span
from adalint.values import UNKNOWN, Literal, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adalint.dialects.record import Record
    from adalint.dialects.tables import Commands
    from adalint.readers.shell_words import Option, Word
    from adalint.site import Site
    from adalint.source import Source
    from adalint.values import Expr

_ONLY_SHOWN: Final = frozenset({":", "echo", "printf", "cat", "grep", "which", "type", "man"})
"""Commands that run nothing of what stands behind them."""
_SOUGHT: Final = re.compile(r"""(["']?)[$`]\(?(?:shell )?(?:which|command -v|type -[pP]) ([\w.-]+)[`)]\1""")
"""A program by what tells where it is: `$(which swift)`; of a Makefile, `$(shell which swift)`."""


def sites_of_commands(source: Source) -> list[Site]:
    """Find the command lines of a shell script that speak a framework's dialect, in the order of the text.

    Raises:
        ReadError: the text is too long or nested too deeply to be followed.
    """
    from adalint.readers.shell_reader import read_commands

    commands = (one for one in read_commands(source) if one.words and one.words[0].value not in _ONLY_SHOWN)
    sites = (site_of_arguments(source, command.words, command.span) for command in commands)
    return [site for site in sites if site is not None]


def site_of_arguments(source: Source, words: Sequence[Word], whole: Span | None = None) -> Site | None:
    """Read a command, its program included, as a Site; None when no framework is spoken to, or not of AdaLoRA.

    `Site.values` holds the words of values by PEFT's fields; `key_span` is the flag, `--init_r` of `--init_r=8` too.
    `whole` covers the command; its words may stand elsewhere, in an array.
    """
    text = b"\n".join(word.head.encode(errors="replace") for word in words)
    for record in spoken_in(text + text.replace(b"-", b"_"), "cli"):  # of flags with hyphens, too
        behind = None if record.cli is None else _behind(source, words, record.cli)
        if record.cli is None or behind is None:
            continue
        site = site_of(record, _written(source, words, behind, record, whole), "")
        if site is not None:
            return site
    return None


def _behind(source: Source, words: Sequence[Word], cli: Commands) -> int | None:
    """Give the index of the first argument of a command that is known; None when it is not one of them."""
    for name in cli.commands:
        wanted = name.split()
        for start in range(len(words) - len(wanted) + 1):
            said = [word.value for word in words[start : start + len(wanted)]]
            first = said[0] if isinstance(said[0], str) else _sought(source.slice(words[start].span))
            if (first == wanted[0] or first.endswith(f"/{wanted[0]}")) and said[1:] == wanted[1:]:
                return start + len(wanted)
    return None


def _sought(written: str) -> str:
    match = _SOUGHT.fullmatch(written)
    return "" if match is None else match[2]


def _written(source: Source, words: Sequence[Word], behind: int, record: Record, whole: Span | None) -> Written:
    parted = options(words[behind:])
    entries: dict[str, Value] = {}
    repeated: dict[str, tuple[Value, ...]] = {}
    for option in parted.found:
        key = _key(option, record)
        value = Value(_expr(option, key, record), _span(option), option.word.span, source.slice(_span(option)))
        if key in entries:
            repeated[key] = (*repeated.get(key, ()), entries[key])
        entries[key] = value
    program = Span(words[0].span.start, words[behind - 1].span.stop)
    either = record.cli is not None and record.cli.hyphens
    written = {option.key: option.name.lstrip("-") for option in parted.found} if either else {}
    letters = set("".join(written.values()))
    # A file of options, and words that nobody knows, may say more.
    open_ = bool(parted.loose) or any(word.head.endswith((".yaml", ".yml", ".json")) for word in words[behind:])
    whole = whole or Span(words[0].span.start, words[-1].span.stop)
    return Written(
        source,
        whole,
        program,
        entries,
        frozenset(entries),
        entries.get,
        repeated,
        written,
        hyphens="-" in letters and "_" not in letters,
        open=open_,
        is_argv=True,
    )


def _key(option: Option, record: Record) -> str:
    hyphens = record.cli is not None and record.cli.hyphens
    return option.key if hyphens else option.name.lstrip("-")


def _span(option: Option) -> Span:
    return option.word.span if option.value is None else option.value.span


def _expr(option: Option, key: str, record: Record) -> Expr:
    if record.cli is not None and key in record.cli.switches and option.inline is None:
        return Literal(True)
    value = option.value
    if value is None:
        return Literal(True)
    if option.inline is None and _takes_list(key, record):
        items = [word.value for word in option.following]
        return UNKNOWN if any(item is UNKNOWN for item in items) else Literal(items)
    return UNKNOWN if value.value is UNKNOWN else Literal(value.value)


def _takes_list(key: str, record: Record) -> bool:
    fields = [field for target in record.keys.get(key, ()) for field in target.to]
    return any("list" in FIELDS[field].kinds and not FIELDS[field].numeric for field in fields)
