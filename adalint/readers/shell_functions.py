"""The functions of a script: what is defined, and following a call with the variables of its caller, as bash does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from adalint.readers.shell_syntax import descendants
from adalint.readers.shell_variables import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tree_sitter import Node

    from adalint.readers.shell_assignments import Assignments
    from adalint.readers.shell_text import ShellText
    from adalint.readers.shell_variables import Facts
    from adalint.readers.shell_words import Word

MAX_CALLS: Final = 12
"""Functions within functions that are followed."""

Follow: TypeAlias = "Callable[[Node, Scope], None]"
"""Follows a statement from what is known in front of it."""


@dataclass
class Functions:
    """The functions of one script; `variables` knows them by name as far as they are defined."""

    text: ShellText
    facts: Facts
    variables: Assignments
    called: set[int] = field(default_factory=set)
    bodies: dict[int, Node] = field(default_factory=dict)
    """Of all functions, those included that are defined anew later."""
    returns: list[list[Scope]] = field(default_factory=list)
    """For each function that is being followed, where it may have been left."""
    unclear: set[str] = field(default_factory=set)
    """Functions that are defined several times."""

    def foresee(self, root: Node) -> None:
        """Note what functions set: a call may stand where nobody sees it."""
        for node in descendants(root):
            if node.type == "function_definition":
                names = self.variables.set_in(node, with_calls=False)
                self.variables.set_in_functions |= set(self.facts.counts) if names is None else names

    def define(self, node: Node) -> None:
        """Take note of a definition."""
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None:
            return
        key = self.text.slice(name)
        if key in self.variables.functions and self.variables.functions[key] != body:
            self.unclear.add(key)
        self.bodies[body.id] = body
        self.variables.functions[key] = body

    def call(self, name: str, arguments: Sequence[Word], scope: Scope, follow: Follow) -> None:
        """Follow a function from where it is called."""
        body = self.variables.functions[name]
        if len(self.returns) >= MAX_CALLS or name in self.unclear:
            scope.forget()
            return
        self.called.add(body.id)
        positional, local = scope.positional, scope.local
        scope.positional, scope.local = tuple(arguments), {}
        self.returns.append([])
        follow(body, scope)
        scope.join(self.returns.pop())
        scope.known |= scope.local
        scope.positional, scope.local = positional, local

    def leave(self, scope: Scope) -> None:
        """Take note of a `return`."""
        if self.returns:
            self.returns[-1].append(scope.copy())

    def follow_uncalled(self, follow: Follow) -> None:
        """Follow the functions that nothing here is seen to call; one may define another."""
        while left := [body for body in self.bodies.values() if body.id not in self.called]:
            for body in left:
                if body.id not in self.called:
                    self.called.add(body.id)
                    follow(body, Scope(self.facts))
