"""The base protocol of the Language Server Protocol: from a stream of bytes to the bodies of messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_HEADER: Final = 64 * 1024
MAX_BODY: Final = 256 * 1024 * 1024
"""Longer bodies are skipped: no editor sends one, and none is to fill the memory."""

_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,18})[ \t]*\r?$")


class Framer:
    """Cuts a stream into bodies, and looks for the next header behind whatever makes no sense."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None
        self._skipped = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Give the bodies that are complete once `chunk` has come."""
        self._buffer += chunk
        while True:
            if self._skipped:
                gone = min(self._skipped, len(self._buffer))
                del self._buffer[:gone]
                self._skipped -= gone
            if self._length is None and not self._take_header():
                return
            if self._length is None:
                continue
            if len(self._buffer) < self._length:
                return
            body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
            self._length = None
            yield body

    def _take_header(self) -> bool:
        """Take a header off the buffer; False when there is none yet."""
        end = self._buffer.find(_END)
        if end < 0:
            if len(self._buffer) > MAX_HEADER:
                del self._buffer[: -len(_END)]
            return False
        found = _LENGTH.findall(bytes(self._buffer[:end]))
        del self._buffer[: end + len(_END)]
        length = int(found[-1]) if found else 0
        if length > MAX_BODY:
            self._skipped = length
        elif length:
            self._length = length
        return True
