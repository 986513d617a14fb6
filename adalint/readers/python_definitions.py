"""What gave a name its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import ast

    from adalint.readers.python_scopes import FunctionNode

MAX_CALLERS: Final = 8
"""With more callers, or items of a loop, nobody would call the outcome known."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """The name holds what this expression is worth where it stands."""

    value: ast.expr


@dataclass(frozen=True, slots=True)
class Augmented:
    """The name holds its former value, changed by this statement."""

    statement: ast.AugAssign


@dataclass(frozen=True, slots=True)
class Parameter:
    """The name is a parameter; its callers tell."""

    function: FunctionNode
    name: str


@dataclass(frozen=True, slots=True)
class LoopItem:
    """The name is (a part of) what a loop goes through."""

    loop: ast.For | ast.AsyncFor | ast.comprehension
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something binds the name, and the text does not tell to what."""

    node: ast.AST


Definition: TypeAlias = Assigned | Augmented | Parameter | LoopItem | Opaque


def node_of(found: Definition) -> ast.AST:
    """Give the node of a definition, which tells one from another."""
    match found:
        case Assigned(value):
            return value
        case Augmented(statement):
            return statement
        case Parameter(function, _):
            return function
        case LoopItem(loop, _):
            return loop
    return found.node
