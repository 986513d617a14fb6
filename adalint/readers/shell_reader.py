"""Reading shell: from a text to the commands in it, each with its words and where they are written."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_flow import run
from adalint.readers.shell_forms import Form, form_of
from adalint.readers.shell_launch import nested_script, reads_script, script_of
from adalint.readers.shell_syntax import MAX_BYTES, parse, too_long
from adalint.readers.shell_text import Chunk, ShellText
from adalint.readers.shell_words import SPECIAL
from adalint.source import Kind
from adalint.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.readers.shell_words import Command, Word
    from adalint.source import Source

_SHEBANG: Final = re.compile(rb"#![^\n]*")
_SHELL: Final = re.compile(rb"\b(?:ba|da|k)?sh\b")
_PLAIN_SHELL: Final = re.compile(rb"\b(?:da)?sh\b")
MAX_NESTED: Final = 4
"""`bash -c` within `bash -c` that is followed."""


@lru_cache(maxsize=1)
def read_commands(source: Source) -> tuple[Command, ...]:
    """Find the commands of a source, in the order of its scripts; the last one is kept, for the fixes of its findings.

    Raises:
        ReadError: the text is too long or nested too deeply to be followed.
    """
    found: list[Command] = []
    for one in _scripts_in(source):
        found += commands_of(one) if isinstance(one, ShellText) else finished(one)
    return tuple(found)


def _scripts_in(source: Source) -> Iterable[ShellText | Command]:
    if source.kind is Kind.YAML:
        from adalint.readers import shell_workflow

        return shell_workflow.scripts_and_commands(source)
    if source.kind is not Kind.SHELL:
        return []
    if len(source.content) > MAX_BYTES:
        raise too_long()
    form = form_of(source)
    if form is Form.MAKEFILE:
        from adalint.readers import shell_makefile

        return shell_makefile.recipes_of(source)
    if form is Form.DOCKERFILE:
        from adalint.readers import shell_dockerfile

        return shell_dockerfile.scripts_and_commands(source)
    shebang = _SHEBANG.match(source.content)
    if shebang and not _SHELL.search(shebang[0]):
        return []
    is_bash = shebang is None or not _PLAIN_SHELL.search(shebang[0])
    return [ShellText.whole(source.content, is_bash=is_bash)]


def commands_of(text: ShellText, depth: int = 0) -> list[Command]:
    """Give the commands of a script, and of the scripts that they hand to another shell."""
    found: list[Command] = []
    for command in run(parse(text.content), text, text.given):
        found += finished(command, depth)
    return found


def finished(command: Command, depth: int = 0) -> list[Command]:
    """Tell what a command runs in the end, and add what it hands to a shell."""
    inner = nested_script(command.words)
    if inner is None and command.document is not None and reads_script(command.words, command.document):
        inner = command.document
    nested = commands_of(_script_in(inner), depth + 1) if inner is not None and depth < MAX_NESTED else []
    return [replace(command, script=script_of(command.words)), *nested]


def _script_in(word: Word) -> ShellText:
    """Take a word for a script; what is unknown in it is a variable that nobody knows."""
    chunks = []
    barred = "\n"
    for piece in word.pieces:
        known = piece.text is not UNKNOWN
        text = str(piece.text) if known else "${_}"
        plain = known and not piece.escaped and piece.use is None and not piece.fixed
        chunks.append(Chunk(text.encode(), (piece.use or piece).span, plain))
        barred += piece.barred + SPECIAL[piece.quoting]
    return ShellText.joined(chunks, "".join(sorted(set(barred))))
