"""The launch lines of a script: what they give it, and how their words are renamed or taken out."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.readers.errors import ReadError
from adalint.readers.shell_reader import read_commands
from adalint.readers.shell_words import Many
from adalint.source import Kind, Span
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adalint.migrate.loralib_command_line import CommandLine
    from adalint.readers.shell_words import Command, Word
    from adalint.source import Source

_HANDS_ON: Final = frozenset({"xargs", "parallel", "find", "watch"})
"""Programs that add words to the command that they are given."""

_FILES: Final = (".json", ".yaml", ".yml")

DEAD: Final = "--apply_rankselector"
"""A flag of published launch lines that no published parser knows."""


class Unlaunchable(Exception):
    """A launch line cannot be rewritten for certain; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Given:
    """An option on a launch line: its word, and the words of its value."""

    option: str
    word: Word
    values: tuple[Word, ...] = ()

    @property
    def inline(self) -> str | None:
        """What stands behind its `=`; None where there is none."""
        head = self.word.head
        return head[len(self.option) + 1 :] if head[len(self.option) :].startswith("=") else None


@dataclass(frozen=True, slots=True)
class Launch:
    """One command that starts the script."""

    source: Source
    command: Command
    given: tuple[Given, ...]


def launches_of(
    path: str, line: CommandLine, touched: frozenset[str], sources: Iterable[Source], others: Sequence[str]
) -> list[Launch]:
    """Find the commands that start a script; `touched` are the options that matter, `others` the other scripts.

    Raises:
        Unlaunchable: one hands on words that are not known, or it is not certain what it starts.
    """
    found: list[Launch] = []
    for source in sources:
        if source.kind not in {Kind.SHELL, Kind.YAML}:
            continue
        commands = commands_in(source)
        for command in commands:
            if _starts(command, path, others, touched, source):
                found.append(Launch(source, command, _given_on(command, line, touched, source)))
            else:
                _refuse_mention(command, path, touched, source)
        _refuse_unread(commands, touched, source)
    return found


def _refuse_unread(commands: Sequence[Command], touched: frozenset[str], source: Source) -> None:
    """Refuse flags in what is no command: texts that are written to files, variables that nothing is seen to use.

    Raises:
        Unlaunchable: there is one, and no comment.
    """
    read = [command.span for command in commands]
    read += [piece.span for command in commands for word in command.words for piece in word.pieces]
    for match in _words_like(touched).finditer(source.content):
        place = Span(*match.span())
        line = source.line_span(source.row_of(place.start))
        if not any(one.contains(place) for one in read) and b"#" not in source.content[line.start : place.start]:
            raise Unlaunchable(f"{source.name}: {match[0].decode()} stands where no command is seen")


def _words_like(options: Iterable[str]) -> re.Pattern[bytes]:
    return re.compile(
        rb"(?<![\w-])(?:" + b"|".join(re.escape(one.encode()) for one in sorted(options)) + rb")(?![\w-])"
    )


def commands_in(source: Source) -> tuple[Command, ...]:
    """Read the commands of a file.

    Raises:
        Unlaunchable: they cannot be followed.
    """
    try:
        return read_commands(source)
    except ReadError as error:
        raise Unlaunchable(f"{source.name}: {error}") from None


def _starts(command: Command, path: str, others: Sequence[str], touched: frozenset[str], source: Source) -> bool:
    """Tell whether a command starts a script.

    Raises:
        Unlaunchable: another script has the same name, or the name is not known.
    """
    if not command.words:
        return False
    name = command.words[command.script].value
    if not isinstance(name, str):
        loose = any(word.value is UNKNOWN for word in command.arguments) and os.path.basename(path) in source.text
        if not loose and not _touches(command, touched):
            return False
        raise Unlaunchable(f"{source.name} starts a script whose name is not known")
    before = command.words[command.script - 1].head if command.script else ""
    if re.fullmatch(r"-\w*m|--module", before):
        name = name.replace(".", "/") + ".py"
    if not _ends_with(path, name):
        return False
    if any(_ends_with(other, name) for other in others):
        raise Unlaunchable(f"{source.name} starts one of several scripts of the name {os.path.basename(name)}")
    return True


def _touches(command: Command, touched: frozenset[str]) -> bool:
    return any(word.head.partition("=")[0] in touched for word in command.words)


def _ends_with(path: str, name: str) -> bool:
    """Tell whether the end of a path may be meant by a name, from whatever folder."""
    parts = [one for one in name.split("/") if one not in {"", ".", ".."}]
    own = os.path.abspath(path).split(os.sep)
    return bool(parts) and (
        own[-len(parts) :] == parts or (len(parts) > 1 and name.startswith("/") and own[-1:] == parts[-1:])
    )


def _is_of(name: str, command: Command) -> bool:
    return any(one.head.rsplit("/", 1)[-1] == name for one in command.words)


def _refuse_mention(command: Command, path: str, touched: frozenset[str], source: Source) -> None:
    """Refuse a command that may hand its words to the script in the end.

    Raises:
        Unlaunchable: it may.
    """
    name = os.path.basename(path)
    first = command.words[0].head.rsplit("/", 1)[-1] if command.words else ""
    mentioned = _is_of(name, command)
    if first == "alias" and any(name in word.head for word in command.words):
        raise Unlaunchable(f"{source.name} starts {name} by an alias")
    if first in _HANDS_ON and mentioned:
        raise Unlaunchable(f"{source.name} starts {name} by {first}, which adds words of its own")
    if not _touches(command, touched):
        return
    started = command.words[command.script].head
    module = command.script > 0 and command.words[command.script - 1].head in {"-m", "--module"}
    if mentioned or not (started.endswith(".py") or module):
        raise Unlaunchable(f"{source.name}: what {started} hands these flags to is not seen")


def _given_on(command: Command, line: CommandLine, touched: frozenset[str], source: Source) -> tuple[Given, ...]:
    """Part the words of a command as its parser would.

    Raises:
        Unlaunchable: some are not known, or are none of its options as they are written.
    """
    found: list[Given] = []
    options = line.options()
    words = list(command.arguments)
    at = 0
    while at < len(words):
        word = words[at]
        head = word.head
        at += 1
        if head == "--":
            break
        if word.many is not None or (word.value is UNKNOWN and not head):
            raise Unlaunchable(f"{source.name} hands on words that are not known")
        name = head.partition("=")[0]
        if line.of_dataclasses and head.endswith(_FILES) and not found:
            raise Unlaunchable(f"{source.name}: {head} may hold flags of the script")
        if not name.startswith("-") or re.fullmatch(r"-\d*\.?\d+", name):
            continue
        flag = options.get(name)
        if flag is None and not name.startswith("--") and name[:2] in options:
            continue
        meant = re.sub(r"^--no[-_]", "--", name)  # HfArgumentParser makes --no_x for a field x that is true
        if flag is None and line.of_dataclasses and not any(one.startswith(meant) for one in touched):
            continue  # of a dataclass that is imported
        if flag is None and line.of_dataclasses and meant != name:
            raise Unlaunchable(f"{source.name}: {name} is the opposite of a flag")
        if flag is None and name != DEAD:
            raise Unlaunchable(f"{source.name}: {name} is no option of the parser as it is written")
        values: list[Word] = []
        if flag is not None and not flag.switch and "=" not in head:
            most = len(words) if flag.many else 1
            while at < len(words) and len(values) < most and not _is_option(words[at]):
                if words[at].many is Many.LIST or (flag.many and words[at].many is not None):
                    raise Unlaunchable(f"{source.name} hands on words that are not known")
                values.append(words[at])
                at += 1
        found.append(Given(name, word, tuple(values)))
    return tuple(found)


def _is_option(word: Word) -> bool:
    return word.head.startswith("-") and re.fullmatch(r"-\d*\.?\d+(?:e-?\d+)?", word.head) is None
