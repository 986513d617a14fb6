"""Following a script as bash runs it: which commands it reaches, and what its variables hold there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adalint.readers.shell_assignments import ASSIGNMENTS, Assignments, is_arithmetic
from adalint.readers.shell_builtins import SETTERS, UNBOUND, is_harmless_source, set_by
from adalint.readers.shell_commands import command_of, late_words, misread_assignments, settings_above
from adalint.readers.shell_doubts import is_doubtful
from adalint.readers.shell_functions import Functions
from adalint.readers.shell_syntax import descendants
from adalint.readers.shell_variables import Scope, facts_of
from adalint.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tree_sitter import Node

    from adalint.readers.shell_text import ShellText
    from adalint.readers.shell_variables import Facts, Variable
    from adalint.readers.shell_words import Command, Word

MAX_STEPS: Final = 50_000
"""Statements that are followed, those of functions once for each call."""

_LOOPS: Final = frozenset({"for_statement", "while_statement", "c_style_for_statement"})
_PARTS: Final = frozenset({"program", "compound_statement", "do_group", "else_clause"})
_ARITHMETIC: Final = frozenset({"arithmetic_expansion", "test_command"})


def run(root: Node, text: ShellText, known: Mapping[str, Variable]) -> list[Command]:
    """Give the simple commands of a script in the order of the text."""
    facts, variables = facts_of(text.content, doubtful=is_doubtful(root, text)), Assignments(text)
    flow = _Flow(text, facts, variables, Functions(text, facts, variables))
    flow.functions.foresee(root)
    flow.block(root, Scope(facts, dict(known)))
    flow.functions.follow_uncalled(flow.statement)
    return [command for _, command in sorted(flow.found.items())]


@dataclass
class _Flow:
    text: ShellText
    facts: Facts
    variables: Assignments
    functions: Functions
    found: dict[int, Command] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    steps: int = 0

    def block(self, node: Node, scope: Scope) -> None:
        """Follow the statements of a node one after the other."""
        for child in node.children:
            self.next(child, scope)

    def next(self, node: Node, scope: Scope) -> None:
        """Follow a statement where it stands; one before `&` runs in a shell of its own."""
        behind = node.next_sibling
        aside = behind is not None and behind.type == "&"
        self.statement(node, scope.copy() if aside else scope)

    def statement(self, node: Node, scope: Scope) -> None:
        """Follow one statement."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            scope.forget()
            return
        kind = node.type
        if kind == "command":
            self.command(node, scope, [])
        elif kind in ASSIGNMENTS:
            self.substitutions(node, scope)
            self.variables.follow(node, scope)
        elif kind == "redirected_statement":
            self.redirected(node, scope)
        elif kind in {"subshell", "command_substitution", "process_substitution"}:
            self.block(node, scope.copy())
        elif kind == "pipeline":
            for child in node.named_children:
                self.statement(child, scope.copy())
        elif kind == "list":
            self.joined(node, scope)
        elif kind == "if_statement":
            self.branches(node, scope)
        elif kind == "case_statement":
            self.cases(node, scope)
        elif kind in _LOOPS:
            self.loop(node, scope)
        elif kind == "function_definition":
            self.functions.define(node)
        elif kind == "ERROR":
            scope.forget()
        elif is_arithmetic(node):
            self.variables.compute(node, scope)
        elif kind == "negated_command" or kind in _PARTS:
            self.block(node, scope)
        elif kind in _ARITHMETIC:
            self.substitutions(node, scope)

    # Commands

    def command(self, node: Node, scope: Scope, late: Sequence[Node]) -> None:
        """Note a command, and what it does to variables; `late` are its words behind a redirection."""
        if node.has_error:
            scope.forget()
            return
        self.substitutions(node, scope)
        if misread := misread_assignments(node, self.text):
            scope.forget(misread)
            return
        for one in settings_above(node, self.text):
            self.variables.follow(one, scope)
        command = command_of(node, late, scope, self.text)
        self.note(node, command, late)
        name = command.words[0].value if command.words else ""
        if isinstance(name, Unknown):
            return
        if name in self.variables.functions:
            given = [one for one, _ in command.environment]
            scope.forget(given)
            self.functions.call(name, command.words[1:], scope, self.statement)
            scope.forget(given)
        elif name == "return":
            self.functions.leave(scope)
        elif name in UNBOUND:
            if not is_harmless_source(command.words):
                scope.forget()
        elif name == "set":
            self.positional(command.words[1:], scope)
        elif name == "shift":
            known = scope.positional is not None and len(command.words) == 1
            scope.positional = scope.positional[1:] if known and scope.positional is not None else None
        elif name in SETTERS:
            scope.forget(set_by(command.words))

    def note(self, node: Node, command: Command, late: Sequence[Node]) -> None:
        """Keep a command; of one that is reached with different words, only what is sure."""
        key = node.start_byte
        before = self.found.get(key)
        if key in self.settled:
            return
        if before is not None and _said(before) != _said(command):
            command = command_of(node, late, Scope(self.facts), self.text)
            self.settled.add(key)
        self.found[key] = command

    def substitutions(self, node: Node, scope: Scope) -> None:
        """Follow the commands within `$(…)`, and what arithmetic sets in passing."""
        end = -1
        for one in descendants(node):
            if one.start_byte < end:
                continue
            if one.type in {"command_substitution", "process_substitution"}:
                self.block(one, scope.copy())
                end = one.end_byte
            elif one.type == "arithmetic_expansion":
                self.variables.compute(one, scope)

    def redirected(self, node: Node, scope: Scope) -> None:
        body = node.child_by_field_name("body")
        late: list[Node] = []
        rest: list[Node] = []
        for child in node.named_children:
            if child == body:
                continue
            late += late_words(child)
            if child.type == "heredoc_redirect":
                rest += [one for one in child.named_children if one.type in {"pipeline", "list", "command"}]
        if body is not None and body.type == "command":
            self.command(body, scope, late)
        elif body is not None:
            self.statement(body, scope)
        for one in rest:
            self.statement(one, scope.copy())
            scope.forget(self.variables.set_in(one))

    def positional(self, words: Sequence[Word], scope: Scope) -> None:
        if words and words[0].value == "--":
            scope.positional = tuple(words[1:])
        elif not words or not words[0].head.startswith(("-", "+")):
            scope.positional = None

    # Ways through the script

    def joined(self, node: Node, scope: Scope) -> None:
        """Follow `a && b` and `a || b`: the second may run."""
        children = node.children
        self.statement(children[0], scope)
        for child in children[1:]:
            if child.is_named:
                other = scope.copy()
                self.statement(child, other)
                scope.join([other])

    def branches(self, node: Node, scope: Scope) -> None:
        """Follow `if`: the conditions one after the other, each body from where its condition leaves off."""
        ways: list[Scope] = []
        current = scope
        body: Scope | None = None
        for child in node.children:
            if child.type == "then":
                body = current.copy()
            elif child.type == "elif_clause":
                inner = current.copy()
                self.elif_clause(child, current, inner)
                ways.append(inner)
            elif child.type == "else_clause":
                inner = current.copy()
                self.block(child, inner)
                ways.append(inner)
            else:
                self.next(child, body or current)
        scope.join([*([body] if body else []), *ways])

    def elif_clause(self, node: Node, condition: Scope, body: Scope) -> None:
        in_body = False
        for child in node.children:
            if child.type == "then":
                in_body = True
                entered = condition.copy()
                body.known, body.positional, body.local = entered.known, entered.positional, entered.local
            else:
                self.next(child, body if in_body else condition)

    def cases(self, node: Node, scope: Scope) -> None:
        """Follow `case`; an item that ends in `;&` or `;;&` may go on with the next."""
        ways: list[Scope] = []
        start = scope.copy()
        for item in node.named_children:
            if item.type != "case_item":
                continue
            way = start.copy()
            values = item.children_by_field_name("value")
            for child in item.children:
                if child not in values:
                    self.next(child, way)
            ways.append(way)
            if item.children[-1].type in {";&", ";;&"}:
                start.forget(self.variables.set_in(item))
        scope.join(ways)

    def loop(self, node: Node, scope: Scope) -> None:
        """Follow a loop once, from what no round of it changes."""
        self.substitutions(node, scope.copy())
        scope.forget(self.variables.set_in(node))
        if any(self.text.slice(one) == "shift" for one in descendants(node) if one.type == "command_name"):
            scope.positional = None
        after = scope.copy()
        for child in node.children:
            if child.is_named and child.type not in {"variable_name", "word", "string", "expansion", "concatenation"}:
                self.next(child, after)
        scope.join([after])


def _said(command: Command) -> tuple[object, ...]:
    handed = () if command.document is None else (command.document,)
    return tuple((word.value, word.span, word.many) for word in (*command.words, *handed))
