"""Turning operations into edits of a command line: the word of a value is rewritten in its own quotes.

An option is put in behind the last one that is written on the same line, and only where that is a line of the command.
Options are never taken away: what is left of their line is the user's own layout.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from adalint.dialects.operations import in_its_keys
from adalint.fixes.operations import Rename, Set, Swap, Unplaceable
from adalint.readers.shell_edits import word_edit
from adalint.readers.shell_reader import read_commands
from adalint.readers.shell_words import options
from adalint.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adalint.fixes.operations import Operation
    from adalint.readers.shell_words import Option, Word
    from adalint.site import Site
    from adalint.source import Source


def place(site: Site, operations: Sequence[Operation]) -> tuple[Edit, ...]:
    """Turn operations into edits of the command that a site is.

    Raises:
        Unplaceable: one of them cannot be placed exactly; the message says why.
    """
    words = _words_of(site)
    found = {option.name.lstrip("-"): option for option in options(words).found}
    edits: list[Edit] = []
    added: list[str] = []
    for operation in (in_its_keys(site, one) for one in operations):
        match operation:
            case Set(field=name, text=text) if name in found:
                edits.append(_rewritten(site.source, found[name], text))
            case Set(field=name, text=text):
                added.append(f"--{name} {_plain(text)}")
            case Swap(first=first, second=second):
                one, other = _option(found, first), _option(found, second)
                edits.append(_rewritten(site.source, one, _text_of(other)))
                edits.append(_rewritten(site.source, other, _text_of(one)))
            case Rename(field=name, to=to):
                edits.append(_renamed(site.source, _option(found, name), to))
            case _:
                raise Unplaceable("options of a command line are only changed or added")
    if added:
        stop = _end_of_options(site.source, words)
        edits.append(Edit(Span(stop, stop), "".join(f" {one}" for one in added)))
    return tuple(sorted(edits))


def _words_of(site: Site) -> Sequence[Word]:
    """Find the words of the command that a site was read from."""
    words = _written(site.source).get(site.span)
    if words is None:
        raise Unplaceable("the command is not written here")
    # What a launcher runs may stand behind `--`: `kubectl exec pod -- swift sft …`.
    starts = [at + 1 for at, word in enumerate(words) if word.value == "--" and options(words[at + 1 :]).found]
    return words[starts[-1] :] if starts else words


@lru_cache(maxsize=1)
def _written(source: Source) -> Mapping[Span, Sequence[Word]]:
    """Give the words of all commands of a source, by where they are written; of equal places, the first counts."""
    return {command.span: command.words for command in reversed(read_commands(source)) if command.words}


def _option(found: dict[str, Option], name: str) -> Option:
    if name not in found:
        raise Unplaceable(f"`--{name}` is not written in this command")
    return found[name]


def _text_of(option: Option) -> str:
    value = None if option.value is None else option.value.value
    if not isinstance(value, str):
        raise Unplaceable(f"the value of `{option.name}` is not known here")
    return value


def _plain(text: str) -> str:
    if not text.replace(".", "").replace("-", "").replace("_", "").isalnum():
        raise Unplaceable(f"`{text}` is an expression, which a command line has not")
    return text


def _rewritten(source: Source, option: Option, text: str) -> Edit:
    edit = None if option.value is None else word_edit(source, option.value, _plain(text))
    if edit is None:
        raise Unplaceable(f"the value of `{option.name}` is written where other words would change, too")
    replaced = source.slice(edit.span)
    if "$" in replaced:
        # A variable that something else reads, or that may be set elsewhere: `make RANK=8`.
        raise Unplaceable(f"{replaced} would no longer give {option.name}")
    return edit


def _renamed(source: Source, option: Option, to: str) -> Edit:
    edit = None if option.inline is not None else word_edit(source, option.word, f"--{to}")
    if edit is None:
        raise Unplaceable(f"`{option.name}` is written together with its value")
    return edit


def _end_of_options(source: Source, words: Sequence[Word]) -> int:
    """Find the place behind the last option, where it is written in the command itself and nothing hangs on it."""
    last = options(words).found[-1:]
    if not last:
        raise Unplaceable("the command has no options")
    written = [last[0].word, *([last[0].value] if last[0].value is not None else [])]
    if any(piece.use is not None or piece.fixed for word in written for piece in word.pieces):
        raise Unplaceable("the options of the command are written elsewhere")
    stop = max(word.span.stop for word in written)
    behind = source.slice(Span(stop, source.line_span(source.row_of(stop)).stop))
    if behind.strip() not in {"", "\\"}:
        raise Unplaceable("something else follows the options on the same line")
    return stop
