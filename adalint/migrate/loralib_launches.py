"""The launch lines of a script: what they give it, and how their words are renamed or taken out."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adalint.readers.errors import ReadError
from adalint.readers.shell_launch import nested_script
from adalint.readers.shell_reader import read_commands
from adalint.readers.shell_words import Many
from adalint.source import Edit, Kind, Span
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adalint.migrate.loralib_parser import Flag
    from adalint.readers.shell_words import Command, Word
    from adalint.source import Source

_BETWEEN: Final = re.compile(r"(?:[ \t]|\\\r?\n|\r?\n)*")
"""What may stand between two words of one command and go with one of them: no comment, no quote."""

_HANDS_ON: Final = frozenset({"xargs", "parallel", "find", "watch"})
"""Programs that add words to the command that they are given."""

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


@dataclass(slots=True)
class Rewritten:
    """What becomes of a file with launch lines."""

    source: Source
    edits: list[Edit] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)
    left: list[tuple[int, str]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    """The commands that start the script."""


def launches_of(
    path: str, options: Mapping[str, Flag], touched: frozenset[str], sources: Iterable[Source], others: Sequence[str]
) -> list[Launch]:
    """Find the commands that start a script; `touched` are the options that matter, `others` the other scripts.

    Raises:
        Unlaunchable: one hands on words that are not known, or it is not certain what it starts.
    """
    found: list[Launch] = []
    for source in sources:
        if source.kind not in {Kind.SHELL, Kind.YAML}:
            continue
        commands = _commands_in(source)
        for command in commands:
            if _starts(command, path, others, touched, source):
                found.append(Launch(source, command, _given_on(command, options, source)))
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


def _commands_in(source: Source) -> tuple[Command, ...]:
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
        if not _touches(command, touched):
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
    if first in _HANDS_ON and mentioned:
        raise Unlaunchable(f"{source.name} starts {name} by {first}, which adds words of its own")
    if not _touches(command, touched):
        return
    started = command.words[command.script].head
    module = command.script > 0 and command.words[command.script - 1].head in {"-m", "--module"}
    if mentioned or not (started.endswith(".py") or module):
        raise Unlaunchable(f"{source.name}: what {started} hands these flags to is not seen")


def _given_on(command: Command, options: Mapping[str, Flag], source: Source) -> tuple[Given, ...]:
    """Part the words of a command as its parser would.

    Raises:
        Unlaunchable: some are not known, or are none of its options as they are written.
    """
    found: list[Given] = []
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
        if not name.startswith("-") or re.fullmatch(r"-\d*\.?\d+", name):
            continue
        flag = options.get(name)
        if flag is None and not name.startswith("--") and name[:2] in options:
            continue
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


def rewritten(launches: Sequence[Launch], renamed: Mapping[str, str], gone: Iterable[str]) -> list[Rewritten]:
    """Rename some options of launch lines, and take others out with their values; by file.

    Raises:
        Unlaunchable: a word is written where others would change, too.
    """
    files: dict[str, Rewritten] = {}
    dropped = set(gone)
    wanted: dict[tuple[str, Span], list[str]] = {}
    for launch in launches:
        one = files.setdefault(launch.source.path, Rewritten(launch.source))
        one.spans.append(launch.command.span)
        out: set[int] = set()
        heads: dict[int, str] = {}
        for given in launch.given:
            if given.option in dropped:
                out |= {id(word) for word in (given.word, *given.values)}
                one.told.append((given.word.span.start, f"{_shown(given)} goes"))
            elif given.option in renamed:
                to = renamed[given.option]
                one.edits.append(_rename(given, to, launch.source))
                heads[id(given.word)] = to + given.word.head[len(given.option) :]
                one.told.append((given.word.span.start, f"{given.option} becomes {to}"))
        one.edits += _taken_out(launch.command.words, out, launch.source)
        key = (launch.source.path, launch.command.span)
        wanted[key] = [heads.get(id(word), word.head) for word in launch.command.words if id(word) not in out]
    for one in files.values():
        one.edits = sorted(set(one.edits))
        _check(one, {span: words for (path, span), words in wanted.items() if path == one.source.path})
    return list(files.values())


def _shown(given: Given) -> str:
    return " ".join([given.word.head, *(one.head for one in given.values)])


def _rename(given: Given, to: str, source: Source) -> Edit:
    piece = given.word.pieces[0]
    if piece.escaped or piece.fixed or not isinstance(piece.text, str) or not piece.text.startswith(given.option):
        raise Unlaunchable(f"{source.name}: {given.option} is written where other words would change, too")
    return Edit(Span(piece.span.start, piece.span.start + len(given.option)), to)


def _taken_out(words: Sequence[Word], out: set[int], source: Source) -> list[Edit]:
    """Take words out with the blanks around, and with the lines that hold nothing else."""
    edits: list[Edit] = []
    index = 0
    while index < len(words):
        if id(words[index]) not in out:
            index += 1
            continue
        last = index
        while last + 1 < len(words) and id(words[last + 1]) in out:
            last += 1
        if any(
            not one.whole or any(piece.use or piece.fixed for piece in one.pieces) for one in words[index : last + 1]
        ):
            raise Unlaunchable(f"{source.name}: {words[index].head} is written where other words would change, too")
        start, stop = words[index].span.start, words[last].span.stop
        before = words[index - 1].span.stop
        behind = words[last + 1].span.start if last + 1 < len(words) else None
        first = not source.content[source.line_starts[source.row_of(start) - 1] : start].strip()
        if first and behind is not None and stop <= behind and not source.slice(Span(stop, behind)).strip(" \t"):
            edits.append(Edit(Span(start, behind), ""))
        elif before <= start and _BETWEEN.fullmatch(source.slice(Span(before, start))):
            edits.append(Edit(Span(before, stop), ""))
        else:
            rest = source.content[stop:]
            edits.append(Edit(Span(start, stop + len(rest) - len(rest.lstrip(b" \t"))), ""))
        index = last + 1
    return edits


def _check(one: Rewritten, wanted: Mapping[Span, list[str]]) -> None:
    """Read the file again: only the words meant may have changed.

    Raises:
        Unlaunchable: others have.
    """
    before = _commands_in(one.source)
    try:
        after = _commands_in(one.source.apply(one.edits))
    except ValueError:
        raise Unlaunchable(f"{one.source.name}: two changes fall on the same words") from None
    same = len(before) == len(after)
    for old, new in zip(before, after, strict=False):
        expected = wanted.get(old.span, [word.head for word in old.words])
        same = same and (_holds(old, wanted) or expected == [word.head for word in new.words])
        same = same and [_mark(word) for name, word in old.environment] == [_mark(word) for _, word in new.environment]
    if not same:
        raise Unlaunchable(f"{one.source.name}: other words would change, too")


def _mark(word: Word) -> object:
    return (word.head, word.value is UNKNOWN)


def _holds(command: Command, wanted: Mapping[Span, list[str]]) -> bool:
    """Tell whether a command hands one of those that change to a shell."""
    inner = nested_script(command.words)
    return (
        inner is not None
        and command.span not in wanted
        and any(piece.span.contains(span) for piece in inner.pieces for span in wanted)
    )
