"""What `$X`, `${X:-8}`, `"${ARGS[@]}"` and the like stand for, where the script so far tells."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from adalint.readers.shell_split import Part
from adalint.readers.shell_variables import Array, Scalar, Unset, text_of
from adalint.readers.shell_words import SPECIAL, Many, Piece, Quoting, Use
from adalint.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.shell_text import ShellText
    from adalint.readers.shell_variables import Scope, Variable
    from adalint.source import Span

_PARAMETER: Final = re.compile(
    r"\$(?:(?P<simple>[A-Za-z_]\w*|[0-9@*#?$!-])"
    r"|\{(?P<name>[A-Za-z_]\w*|\d+|[@*#?$!-])(?:\[(?P<index>\d+|[@*])\])?"
    r"(?:(?P<operator>:?[-+])(?P<word>[\w./+%@=:,-]*))?\})",
    re.ASCII,
)
_NEVER_SPLIT: Final = frozenset({"#", "?", "$", "!"})
_LISTS: Final = frozenset({"@", "*"})


class Expansion(Protocol):
    """What is to be expanded: a node of the tree, or a place like one."""

    @property
    def type(self) -> str:
        """What sort of expansion the grammar calls it."""

    @property
    def start_byte(self) -> int:
        """Where it starts in the script."""

    @property
    def end_byte(self) -> int:
        """Where it ends."""


@dataclass(frozen=True, slots=True)
class Expander:
    """Expands what stands in one argument; `assigned` says that it is the value of an assignment: nothing is split."""

    scope: Scope
    text: ShellText
    assigned: bool

    def expand(self, node: Expansion, quoting: Quoting, run: int) -> Iterator[Part]:
        """Give what an expansion between some quotes stands for; `run` tells those from other quotes."""
        start, stop = node.start_byte, node.end_byte
        content = self.text.content[start:stop]
        place = self.text.out(start, stop)
        splits = quoting is Quoting.BARE and not self.assigned
        match = _PARAMETER.fullmatch(content.decode())
        if node.type not in {"simple_expansion", "expansion"} or match is None:
            listed = b"@" in content and node.type == "expansion"
            splits = splits and node.type != "arithmetic_expansion"
            yield self._unknown(place[0], quoting, run, Many.LIST if listed else Many.SPLIT if splits else None)
            return
        name, index = match["simple"] or match["name"], match["index"]
        if name in _LISTS or index in _LISTS:
            sort = index if index in _LISTS else name
            yield from self._list(name, sort, place[0], quoting, run, plain=match["operator"] is None)
            return
        variable = self._applied(self._variable(name, index), match, start)
        scalar = _as_scalar(variable)
        if scalar is not None and not self.scope.facts.budget.spend(len(scalar.pieces)):
            scalar = None
        text = UNKNOWN if scalar is None else text_of(scalar)
        if scalar is None or isinstance(text, Unknown):
            yield self._unknown(place[0], quoting, run, Many.SPLIT if splits and name not in _NEVER_SPLIT else None)
            return
        use = Use(place[0], quoting, len(text), fixed=not place[1])
        is_shared = index is not None or match["operator"] is not None or self.scope.facts.is_shared(name)
        barred = self.text.barred
        for piece in scalar.pieces or (Piece("", place[0], quoting, run, fixed=True),):
            used = replace(piece, use=use, fixed=piece.fixed or is_shared, barred=piece.barred + barred)
            yield Part(used, split=splits)

    def _unknown(self, span: Span, quoting: Quoting, run: int, many: Many | None) -> Part:
        many = None if self.assigned else many
        return Part(Piece(UNKNOWN, span, quoting, run, fixed=True), split=many is not None, many=many)

    def _list(self, name: str, sort: str, span: Span, quoting: Quoting, run: int, *, plain: bool) -> Iterator[Part]:
        """Give the words of an array or of `$@`; between quotes, `*` makes one of them."""
        quoted = quoting is not Quoting.BARE
        if name in _LISTS:
            words, is_shared = self.scope.arguments, True
        else:
            variable = self.scope.get(name)
            words = variable.words if isinstance(variable, Array) else None
            is_shared = self.scope.facts.is_shared(name)
        if words is not None and not self.scope.facts.budget.spend(sum(len(word.pieces) for word in words)):
            words = None
        joined = sort == "*" and quoted
        if words is None or not plain or joined or self.assigned:
            yield self._unknown(span, quoting, run, None if joined else Many.LIST)
            return
        for number, word in enumerate(words):
            if number:
                yield Part(None, between=True)
            for piece in word.pieces:
                fixed = piece.fixed or is_shared
                barred = piece.barred + self.text.barred + ("" if quoted else SPECIAL[Quoting.BARE])
                inside = replace(piece, use=None, fixed=fixed, barred=barred)
                yield Part(inside, split=not quoted, many=word.many)

    def _variable(self, name: str, index: str | None) -> Variable:
        if name.isdigit():
            return self._positional(int(name))
        if name in _NEVER_SPLIT or name in {"-", "_"}:
            return UNKNOWN
        variable = self.scope.get(name)
        if isinstance(variable, Array) and any(word.many for word in variable.words):
            return UNKNOWN
        if index is None:
            return variable
        if not isinstance(variable, Array):
            return UNKNOWN
        place = int(index)
        return Scalar(variable.words[place].pieces) if place < len(variable.words) else Scalar(())

    def _positional(self, place: int) -> Variable:
        words = self.scope.arguments
        if words is None or place == 0 or any(word.many for word in words):
            return UNKNOWN
        return Scalar(words[place - 1].pieces) if place <= len(words) else Scalar(())

    def _applied(self, variable: Variable, match: re.Match[str], start: int) -> Variable:
        """Apply `:-`, `-`, `:+` or `+`: what bash gives when the variable is set, empty or unset."""
        operator = match["operator"]
        if operator is None or isinstance(variable, Unknown):
            return variable
        if isinstance(variable, Array):
            return UNKNOWN
        given = not isinstance(variable, Unset)
        if operator.startswith(":"):
            text = text_of(variable) if isinstance(variable, Scalar) else ""
            if isinstance(text, Unknown):
                return UNKNOWN
            given = bool(text)
        if operator.endswith("-") and given:
            return variable
        if operator.endswith("+") and not given:
            return Scalar(())
        span, exact = self.text.out(start + match.start("word"), start + match.end("word"))
        return Scalar((Piece(match["word"], span, Quoting.BARE, fixed=not exact, barred=self.text.barred),))


def _as_scalar(variable: Variable) -> Scalar | None:
    """Give what `$X` is: of an array its first item, nothing of a variable that is not set."""
    if isinstance(variable, Array):
        return Scalar(variable.words[0].pieces) if variable.words else Scalar(())
    if isinstance(variable, Unset):
        return Scalar(())
    return variable if isinstance(variable, Scalar) else None
