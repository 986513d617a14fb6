"""Here-documents: the text that `bash <<EOF` or `sbatch <<'EOF'` gets on its standard input."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_parameters import Expander
from adalint.readers.shell_words import Piece, Quoting, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from adalint.readers.shell_text import ShellText
    from adalint.readers.shell_variables import Scope

_QUOTED: Final = re.compile(rb"""['"\\]""")
_UNIT: Final = re.compile(
    rb"""\\(?P<escaped>[$`\\])|(?P<dropped>\\\r?\n)|(?P<unclear>`|\$[\w({])|[^\\`$]+|.""", re.DOTALL
)
_PARAMETER: Final = re.compile(rb"""\$(?:[A-Za-z_]\w*|[0-9@*#?$!-]|\{[^{}\n`"'$]*\})""")
"""What the grammar overlooks behind a line that goes on."""
_STARTS: Final = re.compile(rb"(?<=\n)\t+")
BYTES_PER_PIECE: Final = 100
"""What a document costs of the budget of its script: a function may hand it over again and again."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An expansion that was found without the grammar."""

    start_byte: int
    end_byte: int
    type: str = "expansion"


def document_of(command: Node, scope: Scope, text: ShellText) -> Word | None:
    """Give the text that a command is handed by `<<`, as one word; None where there is none, or none that is clear."""
    around = command.parent
    if around is None or around.type != "redirected_statement" or around.child_by_field_name("body") != command:
        return None
    redirects = [one for one in around.named_children if one.type == "heredoc_redirect"]
    parts = {one.type: one for one in redirects[-1].named_children} if redirects else {}
    begin, body = parts.get("heredoc_start"), parts.get("heredoc_body")
    if begin is None or body is None or body.start_byte == body.end_byte:
        return None
    if not scope.facts.budget.spend(1 + (body.end_byte - body.start_byte) // BYTES_PER_PIECE):
        return None
    strips = text.content.startswith(b"<<-", redirects[-1].start_byte)
    if _QUOTED.search(text.content, begin.start_byte, begin.end_byte):
        pieces = list(_plain(body.start_byte, body.end_byte, text, strips=strips))
    else:
        read = _expanded(body, scope, text, strips=strips)
        if read is None:
            return None
        pieces = read
    return Word(tuple(pieces), text.out(body.start_byte, body.end_byte)[0])


def _plain(start: int, stop: int, text: ShellText, *, strips: bool) -> Iterator[Piece]:
    """Give a part of a document that stands for itself, without the tabs in front of its lines after `<<-`."""
    tabs = [match.span() for match in _STARTS.finditer(text.content, start, stop)] if strips else []
    for begin, end in zip([start, *(one for _, one in tabs)], [*(one for one, _ in tabs), stop], strict=True):
        for first, last in text.parts(begin, end):
            span, exact = text.out(first, last)
            said = text.content[first:last].decode()
            plain = text.is_plain(first, last)
            yield Piece(said, span, Quoting.STRING, escaped=not plain, fixed=not exact, barred=text.barred)


def _expanded(body: Node, scope: Scope, text: ShellText, *, strips: bool) -> list[Piece] | None:
    """Fill in what the shell around fills in; None where the grammar does not show all of it."""
    expander = Expander(scope, text, assigned=True)
    nodes = {one.start_byte: one for one in body.named_children if one.type != "heredoc_content"}
    pieces: list[Piece] = []
    at = body.start_byte
    while at < body.end_byte:
        parameter = _PARAMETER.match(text.content, at, body.end_byte)
        node = _Place(at, parameter.end()) if parameter is not None else nodes.get(at)
        if node is not None:
            pieces += [part.piece for part in expander.expand(node, Quoting.DOUBLE, 0) if part.piece is not None]
            at = node.end_byte
            continue
        match = _UNIT.match(text.content, at, body.end_byte)
        if match is None or match["unclear"] is not None:
            return None
        if match["escaped"] is not None:
            span, _ = text.out(at, match.end())
            pieces.append(Piece(match["escaped"].decode(), span, Quoting.STRING, escaped=True, fixed=True))
        elif match["dropped"] is None:
            pieces += _plain(at, match.end(), text, strips=strips)
        at = match.end()
    return pieces
