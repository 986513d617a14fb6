"""The bytes of LoRA's tensors, a small block at a time, in memory that is used again and again.

Fresh memory for every block would cost more time than all arithmetic.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from adalint.adapters.header import LARGEST_HEADER, SIZES
from adalint.migrate import MigrationError
from adalint.migrate.numbers import STORED, are_finite, narrowed, widened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

    from adalint.adapters.header import Tensor
    from adalint.adapters.weights import Weights
    from adalint.migrate.adalora_to_lora import Conversion, Module

CHUNK: Final = 1 << 15
"""How many numbers are worked on at a time: 256 kB of float64."""

_WIDEST: Final = 8


@dataclass(frozen=True, slots=True)
class Made:
    """A tensor to be written, and what gives its bytes in order; each piece holds until the next is asked for."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size: int
    """How many bytes it has."""
    pieces: Callable[[], Iterator[memoryview]]


class Store:
    """The files of an adapter's weights, open for reading single spans of numbers; for one thread."""

    def __init__(self, folder: str, weights: Weights) -> None:
        self._folder = folder
        self._weights = weights
        self._stack = ExitStack()
        self._open: dict[str, BinaryIO] = {}
        self._scratch: dict[str, NDArray[Any]] = {}

    def __enter__(self) -> Self:
        for name in sorted(set(self._weights.files.values())):
            path = os.path.join(self._folder, name)
            self._open[name] = self._stack.enter_context(open(path, "rb", buffering=0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def tensor(self, name: str) -> Tensor:
        """Give a tensor as its header describes it."""
        return self._weights.tensors[name]

    def scratch(self, purpose: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Give memory, which the next call for the same purpose gives away again."""
        size = prod(shape) * dtype.itemsize
        held = self._scratch.get(purpose)
        if held is None or held.size < size:
            held = self._scratch[purpose] = np.empty(max(size, CHUNK * _WIDEST), np.uint8)
        return held[:size].view(dtype).reshape(shape)

    def span(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """Read the numbers `start` to `stop` of a tensor, counted row by row, as they are stored.

        They hold until the next span is read.

        Raises:
            MigrationError: the file has become shorter since its header was read.
        """
        tensor = self.tensor(name)
        numbers = self.scratch("read", (stop - start,), STORED[tensor.dtype])
        self._fill(name, as_bytes(numbers), tensor.start + start * numbers.itemsize)
        return numbers

    def raw(self, name: str) -> Iterator[memoryview]:
        """Give the bytes of a tensor as they are, whatever its type."""
        tensor = self.tensor(name)
        step = CHUNK * _WIDEST
        for at in range(tensor.start, tensor.stop, step):
            piece = self.scratch("read", (min(step, tensor.stop - at),), np.dtype(np.uint8)).data
            self._fill(name, piece, at)
            yield piece

    def _fill(self, name: str, buffer: memoryview, at: int) -> None:
        file = self._open[self._weights.files[name]]
        file.seek(at)
        while buffer:
            count = file.readinto(buffer)  # type: ignore[attr-defined]
            if not count:
                raise MigrationError(f"{self._weights.files[name]}: it was cut short while it was read")
            buffer = buffer[count:]


def as_bytes(numbers: NDArray[Any]) -> memoryview:
    """Give the bytes of contiguous numbers, without a copy."""
    return numbers.reshape(-1).view(np.uint8).data


def blocks(rows: int, columns: int) -> Iterator[tuple[int, int, int, int]]:
    """Divide a matrix into blocks of whole rows, or of pieces of one row, that are contiguous and no larger than CHUNK.

    Each is (first row, last row, first column, last column), the last ones not included.
    """
    if columns > CHUNK:
        for row in range(rows):
            for column in range(0, columns, CHUNK):
                yield row, row + 1, column, min(column + CHUNK, columns)
    elif columns:
        step = max(1, CHUNK // columns)
        for row in range(0, rows, step):
            yield row, min(row + step, rows), 0, columns


def block(store: Store, name: str, where: tuple[int, int, int, int]) -> NDArray[Any]:
    """Read a block of a matrix, as it is stored."""
    first, last, left, right = where
    columns = prod(store.tensor(name).shape[1:])
    if left == 0 and right == columns:
        return store.span(name, first * columns, last * columns).reshape(last - first, columns)
    return store.span(name, first * columns + left, first * columns + right).reshape(1, right - left)


def factors(store: Store, module: Module) -> NDArray[np.float64]:
    """Give what each row of A is multiplied with: the singular values and the scale."""
    name = module.name("lora_E")
    stored = store.span(name, 0, module.rank)
    dtype = store.tensor(name).dtype
    if not are_finite(stored, dtype):
        raise MigrationError(f"{name} holds an infinite number or none: the adapter is broken")
    return widened(stored, dtype) * module.scale


def tensors_of(conversion: Conversion, store: Store) -> list[Made]:
    """List the tensors of the result in the order in which they are written: wide types first, then by name."""
    made: list[Made] = []
    for module in conversion.modules:
        a, b = module.triplet.a, module.triplet.b
        names = (f"{module.name('lora_A')}.weight", f"{module.name('lora_B')}.weight")
        for name, dtype, shape, pieces in (
            (names[0], a.dtype, module.shape_a, _scaled),
            (names[1], b.dtype, module.shape_b, _filled_up),
        ):
            made.append(Made(name, dtype, shape, SIZES[dtype] * prod(shape), partial(pieces, store, module)))
    for name, tensor in conversion.copied.items():
        size = tensor.stop - tensor.start
        made.append(Made(name, tensor.dtype, tensor.shape, size, partial(store.raw, name)))
    return sorted(made, key=lambda one: (-SIZES.get(one.dtype, 1), one.name))


def header_of(made: list[Made]) -> bytes:
    """Make the header of a safetensors file, its length included, padded so that the numbers are aligned.

    Raises:
        MigrationError: it would be larger than the library reads.
    """
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for one in made:
        entries[one.name] = {"dtype": one.dtype, "shape": list(one.shape), "data_offsets": [at, at + one.size]}
        at += one.size
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > LARGEST_HEADER:
        raise MigrationError(f"the header of the result would have {len(text):,} bytes, more than safetensors allows")
    return len(text).to_bytes(8, "little") + text


def _scaled(store: Store, module: Module) -> Iterator[memoryview]:
    """Give A with the singular values and the scale in it, then rows of zeros."""
    name, dtype = module.name("lora_A"), module.triplet.a.dtype
    by = factors(store, module)[:, np.newaxis]
    columns = module.triplet.a.shape[1]
    for where in blocks(module.rank, columns):
        stored = block(store, name, where)
        numbers = widened(stored, dtype, store.scratch("wide", stored.shape, np.dtype(np.float64)))
        with np.errstate(invalid="ignore", over="ignore"):  # told below, with the place
            numbers *= by[where[0] : where[1]]
        folded = narrowed(numbers, dtype, store.scratch("out", stored.shape, STORED[dtype]))
        if not are_finite(folded, dtype):
            if not are_finite(stored, dtype):
                raise MigrationError(f"{name} holds an infinite number or none: the adapter is broken")
            row = where[0] + int(np.argmax(np.abs(numbers).max(axis=1)))
            largest = f"{np.abs(numbers).max():.3g}"
            raise MigrationError(
                f"{name}: row {row} times its singular value and scale is {largest}, too large for {dtype}"
            )
        yield as_bytes(folded)
    yield from _zeros((module.given - module.rank) * columns * SIZES[dtype])


def _filled_up(store: Store, module: Module) -> Iterator[memoryview]:
    """Give B with columns of zeros after its own."""
    name, tensor = module.name("lora_B"), module.triplet.b
    if module.given == module.rank:
        yield from store.raw(name)
        return
    step = max(1, CHUNK // module.given)
    for first in range(0, tensor.shape[0], step):
        last = min(first + step, tensor.shape[0])
        rows = store.scratch("out", (last - first, module.given), STORED[tensor.dtype])
        stored = store.span(name, first * module.rank, last * module.rank)
        rows[:, : module.rank] = stored.reshape(last - first, module.rank)
        rows[:, module.rank :] = 0
        yield as_bytes(rows)


def _zeros(size: int) -> Iterator[memoryview]:
    empty = memoryview(bytes(min(size, CHUNK * _WIDEST)))
    for at in range(0, size, CHUNK * _WIDEST):
        yield empty[: size - at]
