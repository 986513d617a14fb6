"""What assignments, `export`, `local`, `unset` and arithmetic do to the variables of a script."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_builtins import SETTERS, UNBOUND, names_in
from adalint.readers.shell_expand import arguments, value_of
from adalint.readers.shell_syntax import descendants
from adalint.readers.shell_variables import UNSET, Array, Scalar, Unset, fixed, text_of
from adalint.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from tree_sitter import Node

    from adalint.readers.shell_text import ShellText
    from adalint.readers.shell_variables import Scope, Variable
    from adalint.readers.shell_words import Word

ASSIGNMENTS: Final = frozenset({"variable_assignment", "variable_assignments", "declaration_command", "unset_command"})
"""Statements that set variables."""

_ASSIGNS: Final = re.compile(r"(?<![=!<>])=(?!=)|\+\+|--")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_]\w*")
_NAMES_ITS_VARIABLES: Final = frozenset(
    {"variable_assignment", "unset_command", "declaration_command", "for_statement"}
)


@dataclass
class Assignments:
    """The assignments of one script; `functions` are those defined so far, by name."""

    text: ShellText
    functions: dict[str, Node] = field(default_factory=dict)
    set_in_functions: set[str] = field(default_factory=set)
    """What any function of the script may set: a call may stand where nobody sees it."""

    def follow(self, node: Node, scope: Scope) -> None:
        """Follow one of `ASSIGNMENTS`."""
        if node.type == "variable_assignment":
            self._assign(node, scope)
        elif node.type == "variable_assignments":
            for one in node.named_children:
                self._assign(one, scope)
        elif node.type == "unset_command":
            self._unset(node, scope)
        else:
            self._declare(node, scope)

    def _assign(self, node: Node, scope: Scope, *, unclear: bool = False) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or name.type != "variable_name" or unclear:
            target = name.named_children[0] if name is not None and name.named_children else name
            scope.forget(None if target is None else [self.text.slice(target)])
            return
        key = self.text.slice(name)
        new = self._value(value, scope)
        is_added = any(child.type == "+=" for child in node.children)
        scope.known[key] = _appended(scope.get(key), new) if is_added else new

    def _value(self, node: Node | None, scope: Scope) -> Variable:
        if node is None:
            return Scalar(())
        if node.has_error:
            return UNKNOWN
        if node.type != "array":
            return value_of(node, scope, self.text)
        words: list[Word] = []
        row: list[Node] = []
        for child in node.named_children:
            if self.text.content.startswith(b"[", child.start_byte):
                return UNKNOWN
            if child.type == "comment":
                words += arguments(row, scope, self.text)
                row = []
            else:
                row.append(child)
        return Array((*words, *arguments(row, scope, self.text)))

    def _declare(self, node: Node, scope: Scope) -> None:
        """Follow `export`, `local`, `declare` and the like; an attribute such as `-i` changes what is set."""
        keyword = node.children[0].type
        options = [self.text.slice(one) for one in node.named_children]
        flags = "".join(one for one in options if one.startswith(("-", "+")))
        unclear = "$" in flags or any(letter in "iluAg" for letter in flags)
        local = scope.local if keyword in {"local", "declare", "typeset"} and "g" not in flags else None
        for child in node.named_children:
            is_set = child.type == "variable_assignment"
            target = child.child_by_field_name("name") if is_set else child
            if target is None or target.type not in {"variable_name", "subscript"}:
                continue
            key = self.text.slice(target)
            old = scope.get(key)
            if is_set:
                self._assign(child, scope, unclear=unclear)
            elif unclear:
                scope.forget([key])
            elif local is not None and key not in local:
                scope.known[key] = UNSET
            if local is not None:
                local.setdefault(key, old)

    def _unset(self, node: Node, scope: Scope) -> None:
        for child in node.named_children:
            name = self.text.slice(child)
            if _IDENTIFIER.fullmatch(name):
                scope.known[name] = UNSET
            elif not name.startswith("-"):
                scope.forget()

    def compute(self, node: Node, scope: Scope) -> None:
        """Forget what `((…))` may set."""
        text = self.text.slice(node)
        if _ASSIGNS.search(text):
            scope.forget(_IDENTIFIER.findall(text))

    def set_in(self, node: Node, *, with_calls: bool = True) -> set[str] | None:
        """Name what a part of the script may set; None when that can be anything."""
        names: set[str] = set()
        for one in descendants(node):
            if one.type in _NAMES_ITS_VARIABLES:
                names |= self._named_in(one)
            elif one.type == "command":
                head = one.child_by_field_name("name")
                word = self.text.slice(head) if head is not None else ""
                if word in UNBOUND:
                    return None
                if word in SETTERS:
                    names |= names_in(self.text.slice(one))
                elif with_calls and word in self.functions:
                    names |= self.set_in_functions
            elif one.type == "arithmetic_expansion" or is_arithmetic(one):
                names |= names_in(self.text.slice(one))
            elif one.type == "c_style_for_statement":
                body = one.child_by_field_name("body")
                stop = one.end_byte if body is None else body.start_byte
                names |= names_in(self.text.content[one.start_byte : stop].decode())
        return names

    def _named_in(self, node: Node) -> set[str]:
        inside = descendants(node) if node.type == "unset_command" else node.children
        named = {"variable_name", "word", "subscript"}
        return {self.text.slice(child).split("[")[0] for child in inside if child.type in named}


def is_arithmetic(node: Node) -> bool:
    """Tell whether a command is `((…))`."""
    is_command = node.type in {"compound_statement", "test_command"}
    return is_command and bool(node.children) and node.children[0].type == "(("


def _appended(old: Variable, new: Variable) -> Variable:
    if isinstance(old, Array) and isinstance(new, Array):
        return Array((*old.words, *new.words))
    if isinstance(old, Scalar) and isinstance(new, Scalar):
        both = Scalar((*old.pieces, *new.pieces))
        return Scalar(fixed(both.pieces)) if isinstance(text_of(both), Unknown) else both
    return new if isinstance(old, Unset) else UNKNOWN
