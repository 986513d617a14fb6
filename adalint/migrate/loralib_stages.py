"""A text that is changed several times, and the way back from a place in it to where that stood at first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adalint.source import Position

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adalint.migrate.texts import Migrated, Note
    from adalint.source import Edit, Source


class Stages:
    """One text from stage to stage."""

    def __init__(self, source: Source) -> None:
        self.first = source
        self.last = source
        self._edits: list[list[Edit]] = []

    def apply(self, edits: Iterable[Edit]) -> None:
        """Make the edits of one stage.

        Raises:
            ValueError: two edits touch the same bytes.
        """
        ordered = sorted(set(edits))
        self.last = self.last.apply(ordered)
        self._edits.append(ordered)

    def back(self, offset: int) -> int:
        """Give the place in the first text of one in the last: the start of an edit for all that it wrote."""
        for edits in reversed(self._edits):
            moved = offset
            grown = 0
            for edit in edits:
                start = edit.span.start + grown
                size = len(edit.text.encode())
                if offset < start:
                    break
                if offset < start + size:
                    moved = edit.span.start + grown
                    break
                grown += size - (edit.span.stop - edit.span.start)
                moved = offset
            offset = moved - grown
        return offset

    def retold(self, outcome: Migrated) -> Migrated:
        """Tell of the last text's migration as of one of the first."""

        def placed(note: Note) -> Note:
            row, column = note.position.row, note.position.column
            line = self.last.line_span(row)
            before = self.last.slice(line)[: column - 1]
            at = self.first.position(self.back(line.start + len(before.encode())))
            return replace(note, position=Position(at.row, at.column))

        return replace(
            outcome,
            before=self.first,
            done=tuple(map(placed, outcome.done)),
            left=tuple(map(placed, outcome.left)),
        )
