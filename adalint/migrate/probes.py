"""Whether what was written says what the source says: both are read again and asked the same random questions."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zlib import crc32

import numpy as np

from adalint.adapters.weights import weights_in
from adalint.migrate import MigrationError
from adalint.migrate.numbers import UNIT, are_finite, widened
from adalint.migrate.tensor_bytes import CHUNK, Store, block, blocks, factors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adalint.migrate.adalora_to_lora import Conversion, Module

PROBES: Final = 2
"""How many random inputs each module is given."""

_WORKERS: Final = min(4, os.cpu_count() or 1)
_ROUNDINGS: Final = 1000
_COARSEST: Final = 0.05


@dataclass(frozen=True, slots=True)
class Probed:
    """A module, and by how much LoRA's answer departs from AdaLoRA's, relative to the largest number of the answer."""

    path: str
    error: float


def probe(conversion: Conversion, folder: str) -> tuple[Probed, ...]:
    """Multiply random vectors with both adapters' weights in float64, module by module, and compare.

    Nothing of what was written is taken on trust: header and numbers are read from the file in `folder`.

    Raises:
        MigrationError: a tensor is not as planned, or an answer departs by more than the type of its numbers explains.
    """
    written = weights_in(folder)
    if written.problem is not None:
        raise MigrationError(f"the result cannot be read again: {written.problem}")

    def probe_some(modules: tuple[Module, ...]) -> list[Probed]:
        with Store(conversion.folder, conversion.weights) as before, Store(folder, written) as after:
            return [_probe(module, before, after) for module in modules]

    shares = [conversion.modules[start::_WORKERS] for start in range(_WORKERS)]
    with ThreadPoolExecutor(_WORKERS) as pool:  # NumPy and reading let each other run
        found = [one for share in pool.map(probe_some, shares) for one in share]
    return tuple(sorted(found, key=lambda one: one.path))


def _probe(module: Module, before: Store, after: Store) -> Probed:
    names = [f"{module.name(part)}.weight" for part in ("lora_A", "lora_B")]
    for name, shape in zip(names, (module.shape_a, module.shape_b), strict=True):
        if after.tensor(name).shape != shape:
            raise MigrationError(f"{name} was not written with the shape {list(shape)}")
    columns = module.triplet.a.shape[1]
    questions = np.random.default_rng(crc32(module.path.encode("utf-8", "surrogatepass"))).standard_normal(
        (columns, PROBES)
    )
    inner = _product(before, module.name("lora_A"), questions) * factors(before, module)[:, np.newaxis]
    after_inner = _product(after, names[0], questions)
    departure, size = _outer(module, before, after, inner, after_inner)
    error = departure / size if size else departure
    unit = max(UNIT[module.triplet.a.dtype], UNIT[module.triplet.b.dtype])
    if not error <= min(_ROUNDINGS * unit, _COARSEST):
        raise MigrationError(f"{module.path}: the result would depart by {error:.1e}, more than rounding explains")
    return Probed(module.path, error)


def _product(store: Store, name: str, questions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply a matrix with the questions, block by block."""
    tensor = store.tensor(name)
    answers = np.zeros((tensor.shape[0], PROBES))
    for where in blocks(tensor.shape[0], len(questions)):
        first, last, left, right = where
        stored = block(store, name, where)
        numbers = widened(stored, tensor.dtype, store.scratch("wide", stored.shape, np.dtype(np.float64)))
        answers[first:last] += numbers @ questions[left:right]
    return answers


def _outer(
    module: Module, before: Store, after: Store, inner: NDArray[np.float64], after_inner: NDArray[np.float64]
) -> tuple[float, float]:
    """Multiply both inner answers with B, which must be the same in both, and columns of zeros behind it in LoRA's.

    Gives the largest departure and the largest number.
    """
    name, rank, given, rows = module.name("lora_B"), module.rank, module.given, module.triplet.b.shape[0]
    asked = np.concatenate((inner, after_inner[:rank]), axis=1)
    step = max(1, CHUNK // given)
    departure = size = 0.0
    for first in range(0, rows, step):
        last = min(first + step, rows)
        stored = before.span(name, first * rank, last * rank).reshape(last - first, rank)
        written = after.span(f"{name}.weight", first * given, last * given).reshape(-1, given)
        if not are_finite(stored, module.triplet.b.dtype):
            raise MigrationError(f"{name} holds an infinite number or none: the adapter is broken")
        if not np.array_equal(written[:, :rank], stored) or written[:, rank:].any():
            raise MigrationError(f"{name} was not written as it is")
        numbers = widened(stored, module.triplet.b.dtype, before.scratch("wide", stored.shape, np.dtype(np.float64)))
        answers = numbers @ asked
        size = max(size, float(np.abs(answers[:, :PROBES]).max()))
        departure = max(departure, float(np.abs(answers[:, :PROBES] - answers[:, PROBES:]).max()))
    return departure, size
