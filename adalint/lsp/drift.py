"""Where the places of a text are, once it has been edited."""

from __future__ import annotations

from dataclasses import dataclass

from adalint.source import Span


@dataclass(frozen=True, slots=True)
class Hunk:
    """A part of the old text, and the part of the new one that took its place."""

    old: Span
    new: Span


class Drift:
    """All edits that a text has seen, as one list of hunks in order; edits that touch are one."""

    def __init__(self) -> None:
        self.hunks: list[Hunk] = []

    def edit(self, span: Span, size: int) -> None:
        """Add an edit: `span` of the text as it is now is replaced by `size` bytes."""
        growth = size - (span.stop - span.start)
        before = [hunk for hunk in self.hunks if hunk.new.stop < span.start]
        after = [hunk for hunk in self.hunks if hunk.new.start > span.stop]
        touched = self.hunks[len(before) : len(self.hunks) - len(after)]
        start, stop = span.start, span.stop
        if touched:
            start, stop = min(start, touched[0].new.start), max(stop, touched[-1].new.stop)
        shift_before = before[-1].old.stop - before[-1].new.stop if before else 0
        shift_after = touched[-1].old.stop - touched[-1].new.stop if touched else shift_before
        merged = Hunk(Span(start + shift_before, stop + shift_after), Span(start, stop + growth))
        moved = [Hunk(hunk.old, Span(hunk.new.start + growth, hunk.new.stop + growth)) for hunk in after]
        self.hunks = [*before, merged, *moved]

    def back(self, offset: int) -> int | None:
        """Give the place in the old text of a place in the new one; None when an edit touched it."""
        shift = 0
        for hunk in self.hunks:
            if hunk.new.start > offset:
                break
            if hunk.new.stop >= offset:
                return None
            shift = hunk.old.stop - hunk.new.stop
        return offset + shift

    def carry(self, span: Span) -> Span | None:
        """Give the place of an old span in the new text; None when an edit touched it, its ends included."""
        shift = 0
        for hunk in self.hunks:
            if hunk.old.start > span.stop:
                break
            if hunk.old.stop >= span.start:
                return None
            shift = hunk.new.stop - hunk.old.stop
        return Span(span.start + shift, span.stop + shift)
