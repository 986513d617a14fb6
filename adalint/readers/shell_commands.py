"""One simple command of a script: its words, expanded, and what stands in front of them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_documents import document_of
from adalint.readers.shell_doubts import ends_between
from adalint.readers.shell_expand import arguments, value_of
from adalint.readers.shell_variables import Scalar
from adalint.readers.shell_words import Command, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from adalint.readers.shell_text import ShellText
    from adalint.readers.shell_variables import Scope

_REDIRECTS: Final = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})


_ASSIGNMENT: Final = re.compile(rb"[A-Za-z_]\w*\+?=")


def settings_above(node: Node, text: ShellText) -> list[Node]:
    """Give the assignments that the grammar takes along with the command on the next line."""
    children = node.named_children
    above = [
        index
        for index, (one, behind) in enumerate(pairwise(children))
        if one.type == "variable_assignment" and ends_between(one, behind, text)
    ]
    return children[: above[-1] + 1] if above else []


def misread_assignments(node: Node, text: ShellText) -> set[str]:
    """Name what a row of assignments sets that the grammar takes for a command; empty for a command."""
    head = node.child_by_field_name("name")
    before = [one for one in node.named_children if one.type == "variable_assignment"]
    if head is None or not before:
        return set()
    joined = before[-1].end_byte == head.start_byte
    if not joined and _ASSIGNMENT.match(text.content, head.start_byte) is None:
        return set()
    names = [text.slice(one).split("=")[0] for one in (*before, head)]
    return {name.rstrip("+").split("[")[0] for name in names}


def command_of(node: Node, late: Sequence[Node], scope: Scope, text: ShellText) -> Command:
    """Read a command; `late` are its words behind a redirection."""
    environment: list[tuple[str, Word]] = []
    nodes: list[Node] = []
    children = node.named_children[len(settings_above(node, text)) :]
    for child in [*children, *late]:
        if child.type == "variable_assignment":
            name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            if name is not None and name.type == "variable_name":
                scalar = Scalar(()) if value is None else value_of(value, scope, text)
                place = value or name
                span, _ = text.out(place.start_byte, place.end_byte)
                environment.append((text.slice(name), Word(scalar.pieces, span)))
        elif child.type == "command_name":
            nodes += child.named_children
        elif child.type in _REDIRECTS:
            nodes += late_words(child)
        elif child.type != "comment":
            nodes.append(child)
    words = [word for row in _rows(nodes, text) for word in arguments(row, scope, text)]
    last = max(node.end_byte, *(one.end_byte for one in late), 0)
    span, _ = text.out(children[0].start_byte if children else node.start_byte, last)
    return Command(tuple(words), span, tuple(environment), document=document_of(node, scope, text))


def late_words(redirect: Node) -> list[Node]:
    """Give the arguments that the grammar takes for targets of a redirection in front of them."""
    if redirect.type == "file_redirect":
        return redirect.children_by_field_name("destination")[1:]
    if redirect.type == "heredoc_redirect":
        return redirect.children_by_field_name("argument")
    return []


def _rows(nodes: Sequence[Node], text: ShellText) -> list[list[Node]]:
    """Part arguments where a redirection stands between two of them."""
    rows: list[list[Node]] = []
    for node in nodes:
        gap = text.content[rows[-1][-1].end_byte : node.start_byte] if rows else b">"
        if b">" in gap or b"<" in gap:
            rows.append([node])
        elif ends_between(rows[-1][-1], node, text):
            break
        else:
            rows[-1].append(node)
    return rows
