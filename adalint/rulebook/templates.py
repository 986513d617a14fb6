"""Words with values in them: `target_r={target_r} is not below init_r={init_r}`.

A placeholder holds an expression of the rule language. Its value is computed; a symbolic one is shown as it is written.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adalint.rulebook.language import Condition, parse
from adalint.source import Kind
from adalint.values import Expr, Literal, Operation, Symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adalint.rulebook.language import Facts

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders, split at them into texts and conditions."""

    parts: tuple[str | Condition, ...]

    def fill(self, facts: Facts, written: Callable[[str], str | None]) -> str | None:
        """Put the values in; None when one of them is unknown.

        `written` gives the text of a field as the user wrote it, which is shown where no number is known.
        """
        pieces: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            shown = _shown(part, facts) or written(part.text)
            if shown is None:
                return None
            pieces.append(shown)
        return "".join(pieces)


def parse_template(text: str) -> Template:
    """Split a text at its placeholders and check each.

    Raises:
        LanguageError: a placeholder is no expression of the language.
    """
    pieces = _PLACEHOLDER.split(text)
    return Template(tuple(parse(piece) if index % 2 else piece for index, piece in enumerate(pieces)))


def first_known(templates: Sequence[Template], facts: Facts, written: Callable[[str], str | None]) -> str:
    """Fill the first template whose values are all known; the last one is shown whatever it knows."""
    for template in templates:
        text = template.fill(facts, written)
        if text is not None:
            return text
    return "".join(part if isinstance(part, str) else part.text for part in templates[-1].parts)


_BARE = ("found.", "trace.", "outcome.", "site.run_length_file")
"""Facts that are words: shown without quotes, and None when there is nothing to say."""


def _shown(part: Condition, facts: Facts) -> str | None:
    expr = part.evaluate(facts)
    if part.text.startswith(_BARE) and isinstance(expr, Literal):
        return None if expr.value is None else str(expr.value)
    return show(expr)


def on_one_line(text: str, kind: Kind) -> str:
    """Write a value on one line; in Python without the comments that stand inside it."""
    if kind is Kind.PYTHON and {"\n", "\r"} & set(text):
        try:
            return ast.unparse(ast.parse(f"(\n{text}\n)", mode="eval").body)
        except RecursionError:
            return f"{text.splitlines()[0]} …"
    return " ".join(text.split())


def show(expr: Expr) -> str | None:
    """Write a value for people: numbers and strings as Python has them, symbolic ones as they are written."""
    match expr:
        case Literal(value):
            return repr(value)
        case Symbol(text):
            return text
        case Operation(name, operands):
            shown = [show(operand) for operand in operands]
            if any(text is None for text in shown):
                return None
            texts = [str(text) for text in shown]
            if name == "neg":
                return f"-{texts[0]}"
            if len(texts) == 2 and not name.isalpha():
                return f"{_grouped(operands[0], texts[0])} {name} {_grouped(operands[1], texts[1])}"
            return f"{name}({', '.join(texts)})"
    return None


def _grouped(operand: Expr, text: str) -> str:
    return f"({text})" if isinstance(operand, Operation) and not operand.name.isalpha() else text
