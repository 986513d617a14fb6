"""IPython in Python: lines that only a notebook understands are blanked, so that the rest can be read.

What is blanked keeps its bytes and its newlines, so that every position stays what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUNS_PYTHON: Final = frozenset(["time", "timeit", "capture", "prun", "memit", "debug", "wandb"])
"""Magics whose body or line is Python, run here."""

_RUNS_SHELL: Final = frozenset(["bash", "sh", "shell", "script", "!"])
_OTHER_LANGUAGES: Final = frozenset(["md", "sql", "scala", "r", "sh", "html", "fs"])
"""Databricks gives a whole cell to another language by a magic on its first line."""

_FIRST_LINE: Final = re.compile(r"\s*%(?P<whole>%?)(?P<name>[\w!]+)[^\n]*")
_LINE: Final = re.compile(r"(?:[^\n]*\\\r?\n)*[^\n]*")
_MAGIC: Final = re.compile(
    r"[%!?]"
    r"|[\w.%*]+(?:\[[^\]\n]*\])*\?{1,2}[ \t;]*\r?$"
    r"|(?:pip3?|conda|mamba|uv(?:[ \t]+pip)?)[ \t]+(?:un)?install\b",
    re.MULTILINE,
)
_ASSIGNED: Final = re.compile(r"(?P<names>[\w.*, \t\[\]\"'()]+=[ \t]*)(?P<command>(?:!|%\w)[^\n]*)")
_TIMED: Final = re.compile(r"%(?P<name>\w+)[ \t]+(?:--?\w\S*[ \t]+(?:\d+[ \t]+)?)*(?P<statement>\S[^\n]*)")
_COMPOUND: Final = re.compile(r"(?:if|for|while|with|try|def|class|async|match)\b|@")
_TOKEN: Final = re.compile(
    r"(?P<comment>#[^\n]*)"
    r"|(?P<string>(?P<quote>\"\"\"|''')(?:\\.|(?!(?P=quote)).)*(?P=quote)"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<joined>\\\r?\n)|(?P<newline>\n)|[^#\"'(\[{)\]}\\\n]+|.",
    re.DOTALL,
)
_INDENT: Final = re.compile(r"[ \t]*")
_FILLED_IN: Final = re.compile(r"(?<!\$)\{[^{}\n]*\}")
_JOINED: Final = re.compile(r"\\\r?\n")


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell as plain Python of the same length; `commands` is what it says to pip and to the shell."""

    python: str
    commands: tuple[str, ...] = ()
    foreign: bool = False
    """Another language, or another program: nothing here runs in the notebook's own Python."""


def plain(text: str) -> Cell:
    """Blank what only IPython understands."""
    first = _FIRST_LINE.match(text)
    if first is not None and (first["whole"] or first["name"] in _OTHER_LANGUAGES):
        if first["name"] not in _RUNS_PYTHON:
            lines = tuple(text[first.end() :].splitlines()) if first["name"] in _RUNS_SHELL else ()
            return Cell(blanked(text), lines, foreign=True)
        text = blanked(first[0]) + text[first.end() :]
    commands: list[str] = []
    pieces: list[str] = []
    at = 0
    for start, magic in _magics(text):
        pieces += (text[at:start], magic.instead)
        at = start + magic.size
        commands.append(_JOINED.sub(" ", magic.command))
    return Cell("".join([*pieces, text[at:]]), tuple(commands))


@dataclass(frozen=True, slots=True)
class Script:
    """What a cell hands to a shell, and the character of the cell at which it starts."""

    text: str
    start: int
    is_cell: bool


def shell_in(text: str) -> Iterator[Script]:
    """Give the scripts in a cell: all of it below `%%bash`, or what stands behind each `!`.

    What IPython fills in behind `!` is a variable there that nobody knows, of the same size: `{rank}` is `$_____`.
    """
    first = _FIRST_LINE.match(text)
    if first is not None and first["whole"]:
        words = first[0].split()
        if first["name"] in {"bash", "sh", "shell"} or (words[0] == "%%script" and words[1:2] in (["bash"], ["sh"])):
            start = min(first.end() + 1, len(text))
            yield Script(text[start:], start, is_cell=True)
        return
    for at, magic in _magics(text):
        if magic.command.startswith("!"):
            stop = at + magic.size
            start = stop - len(magic.command.lstrip("!"))
            yield Script(_FILLED_IN.sub(_nobody_knows, text[start:stop]), start, is_cell=False)


def _nobody_knows(match: re.Match[str]) -> str:
    return "$" + "_" * (len(match[0].encode()) - 1)


def blanked(text: str, filler: str = "") -> str:
    """Give blanks in place of a text, behind a filler, newlines kept and every byte counted."""
    kept = "".join(one if one in "\r\n" else " " * len(one.encode()) for one in text)
    return filler + kept[len(filler) :]


@dataclass(frozen=True, slots=True)
class _Magic:
    """What IPython takes away from Python at the start of a statement: how many characters, and what to put there."""

    command: str
    size: int
    instead: str


def _magic_in(line: str) -> _Magic | None:
    if _MAGIC.match(line):
        timed = _TIMED.match(line)
        if timed and timed["name"] in _RUNS_PYTHON and not _COMPOUND.match(timed["statement"]):
            lead = line[: timed.start("statement")]
            return _Magic(lead, len(lead), blanked(lead, "0;"))
        return _Magic(line, len(line), blanked(line, "0"))
    assigned = _ASSIGNED.match(line)
    if assigned is None:
        return None
    command = line[assigned.start("command") :]
    # A call, of which nobody knows what it gives.
    unknown = "_()" if len(command.encode()) > 2 else "_"
    return _Magic(command, len(line), line[: assigned.start("command")] + blanked(command, unknown))


def _magics(text: str) -> Iterator[tuple[int, _Magic]]:
    """Find the magics of a text, each where a statement starts: not in a string, a bracket or a line that goes on."""
    depth = 0
    at = 0
    fresh = True
    while at < len(text):
        if fresh and depth == 0:
            at += len(_matched(_INDENT, text, at))
            magic = _magic_in(_matched(_LINE, text, at))
            if magic is not None:
                yield at, magic
                at += magic.size
        fresh = False
        token = _TOKEN.match(text, at)
        if token is None:
            return
        match token.lastgroup:
            case "open":
                depth += 1
            case "close":
                depth = max(0, depth - 1)
            case "newline":
                fresh = True
        at = token.end()


def _matched(pattern: re.Pattern[str], text: str, at: int) -> str:
    match = pattern.match(text, at)
    return "" if match is None else match[0]
