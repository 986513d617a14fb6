"""What a reader says of a text that it cannot read."""

from __future__ import annotations


class ReadError(Exception):
    """The text is not what its kind says; `offset` is the byte of `Source.content` at which reading stopped."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class TemplateError(ReadError):
    """The text is a template that another program fills in first, so that it is left in peace."""
