"""What a migration of texts makes of one: the new text, what was done to it, and what is left for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adalint.source import Position, Source


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was done, or that cannot be: where in the text as it was, and what, in one sentence."""

    position: Position
    text: str


@dataclass(frozen=True, slots=True)
class Migrated:
    """The outcome for one text; nothing is done and nothing left where it is none of the migration's affair."""

    before: Source
    after: Source
    done: tuple[Note, ...] = ()
    left: tuple[Note, ...] = ()
    together: tuple[str, ...] = ()
    """The paths of all texts that are written with this one, or not at all."""

    @property
    def changed(self) -> bool:
        """Whether the text is another one now."""
        return self.after.content != self.before.content
