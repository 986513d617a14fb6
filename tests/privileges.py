"""Being held to file permissions even as root, as in a container."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION = 0x20080522
_DAC = (1 << 1) | (1 << 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


_PR_CAPBSET_DROP = 24


def give_up_permissions() -> None:
    """Give up root's right to read and write everything in a process that is about to start: a `preexec_fn`."""
    if sys.platform.startswith("linux") and os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):
            assert libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


@contextlib.contextmanager
def held_to_permissions() -> Iterator[None]:
    """Give up root's right to read and write everything for a while; other users never had it."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION, 0), 8)
    before = ctypes.create_string_buffer(24)
    assert libc.capget(header, before) == 0
    effective, *rest = struct.unpack("=6I", before.raw)
    reduced = ctypes.create_string_buffer(struct.pack("=6I", effective & ~_DAC, *rest), 24)
    assert libc.capset(header, reduced) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0
