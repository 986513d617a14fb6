"""Whether a model that is trained is always wrapped, and trained once: what puts in a call for it must know."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.readers.python_counters import loops_around
from adalint.readers.python_moments import in_comprehension
from adalint.readers.python_scopes import FUNCTIONS, map_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_scopes import FileMap
    from adalint.source import Source, Span

_CHOICES = (ast.If, ast.IfExp, ast.BoolOp, ast.Try, ast.Match)


def is_always_wrapped(source: Source, configuration: Span, training: Span | None) -> bool:
    """Tell whether a configuration reaches its training in every run of it.

    It does not where it is made, or a model wrapped, under a condition that the training (None: in sight of no code)
    does not share, or behind a `return` that hands out the model as it was.
    """
    file_map = map_of(source)
    places = [*_nodes_at(configuration, file_map), *file_map.wraps]
    return not any(_is_a_choice(place, training, file_map) for place in places)


def is_trained_once(source: Source, configuration: Span, training: Span) -> bool:
    """Tell whether a training is in no loop, unless the loop makes the configuration anew as well."""
    file_map = map_of(source)
    made = [*_nodes_at(configuration, file_map), *file_map.wraps]
    around = [set(loops_around(place, file_map)) for place in made]
    return all(
        not in_comprehension(node, file_map)
        and all(loop in own for loop in loops_around(node, file_map) for own in around)
        for node in _nodes_at(training, file_map)
    )


def _nodes_at(span: Span, file_map: FileMap) -> Iterator[ast.Call]:
    return (one for one in file_map.calls() if file_map.span(one) == span)


def _is_a_choice(place: ast.AST, training: Span | None, file_map: FileMap) -> bool:
    frame = file_map.frame_of(place)
    for parent in file_map.parents(place):
        if isinstance(parent, FUNCTIONS):
            break
        if isinstance(parent, _CHOICES) and not _is_main(parent):
            shares = training is not None and isinstance(parent, ast.expr | ast.stmt)
            if not (shares and file_map.span(parent).contains(training)):  # type: ignore[arg-type]
                return True
    if not isinstance(frame, FUNCTIONS) or (training is not None and file_map.span(frame).contains(training)):
        return False
    line = getattr(place, "lineno", 0)
    return any(
        isinstance(one, ast.Return) and one.lineno < line and file_map.frame_of(one) is frame for one in ast.walk(frame)
    )


def _is_main(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
