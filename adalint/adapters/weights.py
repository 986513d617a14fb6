"""Where the weights of a saved adapter are, and what their headers say."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from adalint.adapters.header import HeaderError, PointerError, Tensor, read_entries, read_header
from adalint.adapters.ranks import fits_exactly, misfits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WEIGHTS: Final = "adapter_model.safetensors"
INDEX: Final = "adapter_model.safetensors.index.json"
PICKLE: Final = "adapter_model.bin"
_LARGEST_INDEX: Final = 100_000_000


class State(StrEnum):
    """What was found beside an `adapter_config.json`."""

    READ = "read"
    """One or several safetensors files, whose headers were read."""
    POINTER = "git-lfs pointer"
    """A git-lfs pointer, whose file was not fetched."""
    PICKLE = "pickle"
    """Weights in `adapter_model.bin` alone, which is a pickle and is not opened."""
    MISSING = "missing"
    BROKEN = "broken"
    """A file that is no safetensors file, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The tensors of an adapter by name, each with the file that it lies in; none unless `state` is READ.

    `problem` says what keeps them from being read, with the name of the file.
    """

    state: State
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """The name of the file of each tensor, within the folder."""
    problem: str | None = None


def fit_at_a_glance(folder: str, kept: Mapping[str, int], init_r: int) -> bool:
    """Tell without a look at each tensor whether all have the ranks of their masks; False where a closer look is due.

    It takes a third of the time: who only wants to know that nothing is wrong need not know the offsets of all bytes.
    """
    try:
        entries = read_entries(os.path.join(folder, WEIGHTS))
        return fits_exactly(entries, kept) or not misfits(
            {name: entry["shape"] for name, entry in entries.items()}, kept, init_r
        )
    except (HeaderError, OSError, TypeError, LookupError):
        return False


def weights_in(folder: str) -> Weights:
    """Read the headers of the weights in a folder. Never raises for what lies there."""
    return _weights(folder, tuple(_states(folder)))


def _states(folder: str) -> Iterator[tuple[str, int, int]]:
    """Give the names of an adapter's files, with what changes when they do."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(one.name for one in entries if one.name.startswith("adapter_model"))
    except OSError:
        return
    for name in names:
        try:
            status = os.stat(os.path.join(folder, name))
        except OSError:
            yield name, 0, 0  # a link into a cache that is not there
        else:
            yield name, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=256)
def _weights(folder: str, states: tuple[tuple[str, int, int], ...]) -> Weights:
    names = {name for name, *_ in states}
    if WEIGHTS in names:
        return _read(folder, [WEIGHTS])
    if INDEX in names:
        try:
            return _read(folder, _shards(os.path.join(folder, INDEX)))
        except (OSError, ValueError, RecursionError):
            return Weights(State.BROKEN, problem=f"{INDEX} does not name the files of the weights")
    if PICKLE in names:
        return Weights(State.PICKLE, problem=f"{PICKLE} is a pickle, which is not opened")
    return Weights(State.MISSING, problem=f"there is no {WEIGHTS}")


def _shards(index: str) -> list[str]:
    """List the files that an index names.

    Raises:
        ValueError: it is no index, or names a file outside its folder.
    """
    if os.path.getsize(index) > _LARGEST_INDEX:
        raise ValueError
    with open(index, encoding="utf-8") as file:
        named = json.load(file)
    places = named.get("weight_map") if isinstance(named, dict) else None
    if not isinstance(places, dict) or not places:
        raise ValueError
    shards = sorted({one for one in places.values() if isinstance(one, str)})
    if not shards or any(os.path.basename(one) != one for one in shards):
        raise ValueError
    return shards


def _read(folder: str, names: list[str]) -> Weights:
    tensors: dict[str, Tensor] = {}
    files: dict[str, str] = {}
    for name in names:
        try:
            header = read_header(os.path.join(folder, name))
        except PointerError as error:
            return Weights(State.POINTER, problem=f"{name}: {error}")
        except HeaderError as error:
            return Weights(State.BROKEN, problem=f"{name}: {error}")
        except FileNotFoundError:
            return Weights(State.MISSING, problem=f"{name} is not there")
        except OSError as error:
            return Weights(State.BROKEN, problem=f"{name} cannot be read: {error.strerror}")
        tensors |= header.tensors
        files |= dict.fromkeys(header.tensors, name)
    return Weights(State.READ, tensors, files)
