"""The words of launch lines, renamed or taken out; what comes out is read again before it is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adalint.migrate.loralib_launches import Unlaunchable, commands_in
from adalint.readers.shell_launch import nested_script
from adalint.source import Edit, Span
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adalint.migrate.loralib_launches import Given, Launch
    from adalint.readers.shell_words import Command, Word
    from adalint.source import Source

_BETWEEN: Final = re.compile(r"(?:[ \t]|\\\r?\n|\r?\n)*")
"""What may stand between two words of one command and go with one of them: no comment, no quote."""


@dataclass(slots=True)
class Rewritten:
    """What becomes of a file with launch lines."""

    source: Source
    edits: list[Edit] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)
    left: list[tuple[int, str]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    """The commands that start the script."""


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
    before = commands_in(one.source)
    try:
        after = commands_in(one.source.apply(one.edits))
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
