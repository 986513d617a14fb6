"""The grammar of bash: tree-sitter's parser, and the bounds within which a text is read."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from adalint.readers.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Parser

MAX_BYTES: Final = 2_000_000
"""No launch script is longer; a text that is holds data."""
MAX_OPEN: Final = 400
"""Brackets open at once."""
MAX_DEPTH: Final = 200
"""Nodes within nodes that are followed."""

_BRACKET: Final = re.compile(rb"[()]")
_ESCAPED: Final = re.compile(rb"\\[\t -!#-&(-~]")
"""An escaped character. The grammar knows fewer than bash does; which it is does not matter for where a word ends."""
_DASH: Final = re.compile(rb"(?<=[ \t\n])-(?=(?:[ \t]|\\\r?\n)*(?:\d*|&)[<>])")
"""`python - <<EOF`, `run --x - 2> log`: the grammar leaves that word out."""
_DESCRIPTOR: Final = re.compile(rb"(?<![^\s;&|(])\{[A-Za-z_]\w*\}(?=[<>])")
"""`{fd}> log`: a part of the redirection, which the grammar takes for a word."""
_DOLLAR: Final = re.compile(rb"\$(?=\s|\Z)")
"""A dollar sign alone: the grammar goes on to look for its name on the next line."""
_SIGNS: Final = frozenset({"==", "=~"})
"""Words that the grammar takes for operators, between the arguments of a command, too."""
_SIGN: Final = re.compile(rb"\s=[=~]")
_TESTS: Final = frozenset({"[", "[[", "(("})
MAX_PASSES: Final = 4
"""How often a text is parsed anew, with such words replaced."""


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def parse(content: bytes) -> Node:
    """Give the root of the tree of a script; what is no bash is a node `ERROR` in it.

    Raises:
        ReadError: the text is too long, or nested too deeply.
    """
    if len(content) > MAX_BYTES:
        raise too_long()
    depth = 0
    for bracket in _BRACKET.finditer(content):
        depth = depth + 1 if bracket[0] == b"(" else max(0, depth - 1)
        if depth > MAX_OPEN:
            raise ReadError("nested too deeply", bracket.start())
    plain = _DOLLAR.sub(b"x", content)
    plain = _DESCRIPTOR.sub(lambda match: b" " * len(match[0]), _DASH.sub(b"x", _ESCAPED.sub(b"xx", plain)))
    root = _parsed(plain)
    for _ in range(MAX_PASSES):
        signs = [one for one in descendants(root) if _is_word(one)] if _SIGN.search(plain) else []
        if not signs:
            break
        for one in signs:
            plain = plain[: one.start_byte] + b"xx" + plain[one.end_byte :]
        root = _parsed(plain)
    return root


def _parsed(content: bytes) -> Node:
    root = _parser().parse(content).root_node
    _require_shallow(root)
    return root


def _is_word(node: Node) -> bool:
    parent = node.parent
    if node.is_named or node.type not in _SIGNS or parent is None:
        return False
    return parent.type == "command" or (
        parent.type == "ERROR" and not any(one.type in _TESTS for one in parent.children)
    )


def too_long() -> ReadError:
    """Say that a text is no launch script."""
    return ReadError(f"longer than the {MAX_BYTES:,} bytes of shell that adalint reads", 0)


def _require_shallow(root: Node) -> None:
    cursor = root.walk()
    depth = 0
    while True:
        if cursor.goto_first_child():
            depth += 1
            if depth > MAX_DEPTH:
                at: Any = cursor.node
                raise ReadError("nested too deeply", at.start_byte)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            depth -= 1


def descendants(node: Node) -> Iterator[Node]:
    """Give a node and all that is in it, in the order of the text."""
    stack = [node]
    while stack:
        one = stack.pop()
        yield one
        stack += reversed(one.children)
