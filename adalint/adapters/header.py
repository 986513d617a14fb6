"""The header of a safetensors file: names, types and shapes of its tensors, without their bytes.

The format is that of https://github.com/huggingface/safetensors: eight bytes with the length of the header, little
endian, the header as JSON, then the tensors one after the other.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_HEADER: Final = 100_000_000
"""The most bytes that the safetensors library takes for a header."""

POINTER: Final = b"version https://git-lfs.github.com/spec/"
"""How a file begins whose content git-lfs has not fetched."""

SIZES: Final[Mapping[str, int]] = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "U16": 2,
    "I16": 2,
    "F16": 2,
    "BF16": 2,
    "U32": 4,
    "I32": 4,
    "F32": 4,
    "U64": 8,
    "I64": 8,
    "F64": 8,
}
"""Bytes of one number of each type."""


class HeaderError(ValueError):
    """A file whose header cannot be used; the message says why, without the name of the file."""


class PointerError(HeaderError):
    """A git-lfs pointer stands where the file should be."""


class Tensor(NamedTuple):
    """A tensor as its header describes it; `start` and `stop` are offsets of its bytes in the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Header:
    """The tensors of one file by name, in the order of their bytes, and the `__metadata__` that it carries."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_header(path: str) -> Header:
    """Read the header of a safetensors file.

    Raises:
        PointerError: the file is a git-lfs pointer.
        HeaderError: the file is not safetensors, is cut short, or its header is larger than the library takes.
        OSError: the file cannot be read.
    """
    text, size = _text_of(path)
    return _parsed(text, 8 + len(text), size)


def read_entries(path: str) -> dict[str, Any]:
    """Read the descriptions of the tensors of a safetensors file by name, as they are written: none is looked at.

    Raises:
        HeaderError: the file is not safetensors, as with `read_header`, which finds more.
        OSError: the file cannot be read.
    """
    entries = _entries(_text_of(path)[0])
    entries.pop("__metadata__", None)
    return entries


def _text_of(path: str) -> tuple[bytes, int]:
    """Give the header of a file as it is written, and the size of the file."""
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise HeaderError("it is no regular file")
        start = file.read(8)
        if POINTER.startswith(start) and len(start) == 8 and file.read(len(POINTER) - 8) == POINTER[8:]:
            raise PointerError("it is a git-lfs pointer: fetch the file with `git lfs pull`")
        if len(start) < 8:
            raise HeaderError(f"it has {len(start)} bytes, which is no safetensors file")
        length = int.from_bytes(start, "little")
        if length > LARGEST_HEADER:
            raise HeaderError(f"its header is said to have {length:,} bytes, more than safetensors allows")
        if 8 + length > status.st_size:
            raise HeaderError(f"its header is said to have {length:,} bytes, but the file ends at {status.st_size:,}")
        return file.read(length), status.st_size


def _entries(text: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        raise HeaderError("its header is not JSON") from None
    if not isinstance(entries, dict):
        raise HeaderError("its header is no mapping")
    return entries


def _parsed(text: bytes, data: int, size: int) -> Header:
    entries = _entries(text)
    metadata = entries.pop("__metadata__", {})
    tensors = {name: _tensor(name, entry, data) for name, entry in entries.items()}
    ends = [one.stop for one in tensors.values()]
    if ends and max(ends) > size:
        behind = next(name for name, one in tensors.items() if one.stop > size)
        raise HeaderError(f"it is cut short: the bytes of {behind} end behind the file's {size:,}")
    if ends != sorted(ends):
        tensors = dict(sorted(tensors.items(), key=lambda item: (item[1].start, item[1].stop)))
    return Header(tensors, metadata if isinstance(metadata, dict) else {})


def _tensor(name: str, entry: Any, data: int) -> Tensor:
    try:
        dtype, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = 1
        for length in shape:
            numbers *= length
        is_described = _WHOLE.issuperset(map(type, (start, stop, *shape))) and (not shape or min(shape) >= 0)
        wanted = SIZES.get(dtype)
    except (KeyError, TypeError, ValueError):
        is_described = False
    if not is_described or not isinstance(dtype, str):
        raise HeaderError(f"its header does not describe {name}")
    if not 0 <= start <= stop or (wanted is not None and stop - start != wanted * numbers):
        raise HeaderError(f"the bytes of {name} do not fit its shape")
    return Tensor(dtype, tuple(shape), data + start, data + stop)


_WHOLE: Final = frozenset({int})
