"""Which adapted modules are convolutions, and of which kernel: AdaLoRA's weights are flat and do not tell."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from adalint.adapters.header import HeaderError, read_header
from adalint.migrate import MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adalint.migrate.triplets import Triplet

Kernel: TypeAlias = tuple[int, int]


def told_kernels(told: Sequence[tuple[str, Kernel]], paths: Iterable[str]) -> dict[str, Kernel]:
    """Give the kernels of the modules that the caller names, by path, by its end or by a pattern such as `*.conv`.

    Raises:
        MigrationError: a name finds no module.
    """
    paths = list(paths)
    kernels: dict[str, Kernel] = {}
    for name, kernel in told:
        found = [path for path in paths if fnmatchcase(path, name) or path.endswith(f".{name}")]
        if not found:
            raise MigrationError(f"--kernel {name}: no adapted module has this name")
        kernels |= dict.fromkeys(found, kernel)
    return kernels


def base_kernels(base: str, triplets: Mapping[str, Triplet]) -> dict[str, Kernel]:
    """Give the kernels of the modules that are convolutions in a base model, from the headers of its weights.

    Raises:
        MigrationError: there is no base model in safetensors there, a file of it cannot be read, or it is another one.
    """
    four = _convolutions(base)
    kernels: dict[str, Kernel] = {}
    for path, triplet in triplets.items():
        found = {shape for name, shape in four.items() if _is_same(name, path)}
        if len(found) > 1:
            raise MigrationError(f"{base}: several convolutions there could be {path}; say --kernel {path}=HxW")
        for shape in found:
            if (shape[0], prod(shape[1:])) != (triplet.b.shape[0], triplet.a.shape[1]):
                raise MigrationError(
                    f"{base}: {path} has the shape {list(shape)} there; the adapter is for another model"
                )
            kernels[path] = (shape[2], shape[3])
    return kernels


def _convolutions(base: str) -> Mapping[str, tuple[int, ...]]:
    try:
        files = sorted(name for name in os.listdir(base) if name.endswith(".safetensors"))
    except OSError as error:
        raise MigrationError(f"{base}: cannot be read: {error.strerror}") from None
    if not files:
        raise MigrationError(f"{base}: there is no safetensors file there to read the shapes of kernels from")
    shapes: dict[str, tuple[int, ...]] = {}
    for name in files:
        try:
            tensors = read_header(os.path.join(base, name)).tensors
        except (HeaderError, OSError) as error:
            raise MigrationError(f"{os.path.join(base, name)}: {error}") from None
        for key, tensor in tensors.items():
            if len(tensor.shape) == 4 and key.endswith(".weight"):
                shapes[key.removesuffix(".weight")] = tensor.shape
    return shapes


def _is_same(name: str, path: str) -> bool:
    """Tell whether a name in a checkpoint is that module's; either may have the prefix of the whole model."""
    return name == path or name.endswith(f".{path}") or path.endswith(f".{name}")
