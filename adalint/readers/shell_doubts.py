"""Where the grammar cannot be trusted: it takes a newline for a blank, and so one command for the next."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_syntax import descendants

if TYPE_CHECKING:
    from tree_sitter import Node

    from adalint.readers.shell_text import ShellText

_ON_ONE_LINE: Final = frozenset({"command", "file_redirect", "declaration_command", "unset_command"})
_MAY_GO_ON: Final = frozenset({"variable_assignment", "heredoc_redirect", "herestring_redirect", "comment"})
_KEYWORDS: Final = frozenset({"do", "done", "then", "else", "elif", "fi", "esac", "in", "}"})
_CONTINUED: Final = re.compile(rb"\\\r?\n")


def is_doubtful(root: Node, text: ShellText) -> bool:
    """Tell whether a tree shows commands that bash would not see."""
    return root.has_error or any(_is_torn(node, text) for node in descendants(root))


def _is_torn(node: Node, text: ShellText) -> bool:
    if node.type == "command_name":
        return text.slice(node) in _KEYWORDS
    if node.type in _ON_ONE_LINE:
        return _ends_within(node, text)
    if node.type == "test_command" and node.children and node.children[0].type == "[":
        return any(_ends_within(one, text) for one in descendants(node) if not one.type.endswith("string"))
    return False


def _ends_within(node: Node, text: ShellText) -> bool:
    return any(
        ends_between(one, behind, text)
        for one, behind in pairwise(node.children)
        if one.type not in _MAY_GO_ON and behind.type not in _MAY_GO_ON
    )


def ends_between(one: Node, behind: Node, text: ShellText) -> bool:
    """Tell whether a command ends between two nodes: the line does, and does not go on."""
    return b"\n" in _CONTINUED.sub(b"", text.content[one.end_byte : behind.start_byte])
