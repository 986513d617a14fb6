"""Writing the folder of an adapter: all of it or nothing, and nothing where it is there already."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from adalint.adapters.weights import WEIGHTS
from adalint.migrate import MigrationError
from adalint.migrate.adalora_config import NAME
from adalint.migrate.tensor_bytes import Store, header_of, tensors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adalint.migrate.adalora_to_lora import Conversion

_STEP: Final = 4 * 1024 * 1024


def check_written(conversion: Conversion, target: str) -> None:
    """Make sure that a folder holds exactly this result, to the last byte.

    Raises:
        MigrationError: it holds something else.
    """
    place = os.path.realpath(target)
    there = set(os.listdir(place))
    with Store(conversion.folder, conversion.weights) as store:
        pieces = _contents(conversion, store)
        if there == set(pieces) and all(_holds(os.path.join(place, name), make()) for name, make in pieces.items()):
            return
    raise MigrationError(f"{target}: it holds something else than this result; empty it, or choose another folder")


def write(conversion: Conversion, target: str, check: Callable[[str], None]) -> dict[str, int]:
    """Write the result, let `check` look at it, then give it its name; tell the sizes of its files in bytes.

    The folder is made under a temporary name beside the target, which is removed when anything fails.

    Raises:
        MigrationError: the source is broken or changed meanwhile, or `check` refuses the result.
        OSError: the system refuses.
    """
    place = os.path.realpath(target)
    parent = os.path.dirname(place)
    temporary = os.path.join(parent, f".adalint-{secrets.token_hex(8)}")
    try:  # from here on, so that an interrupt finds the name
        os.mkdir(temporary, 0o700)
        with Store(conversion.folder, conversion.weights) as store:
            contents = _contents(conversion, store)
            sizes = {name: _put(os.path.join(temporary, name), make()) for name, make in contents.items()}
        with ThreadPoolExecutor(1) as pool:
            lasting = [pool.submit(_sync, os.path.join(temporary, name)) for name in sizes]  # the disk works meanwhile
            check(temporary)
            for one in lasting:
                one.result()
        os.chmod(temporary, 0o777 & ~_umask())
        _sync_names(temporary)
        if os.path.isdir(place):
            os.rmdir(place)  # empty, or this fails
        os.rename(temporary, place)
        _sync_names(parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return sizes


def _contents(conversion: Conversion, store: Store) -> dict[str, Callable[[], Iterator[bytes | memoryview]]]:
    """Give the files of the result by name, each as what gives its bytes."""

    def config() -> Iterator[bytes]:
        yield json.dumps(conversion.config, indent=2, sort_keys=True).encode()

    def weights() -> Iterator[bytes | memoryview]:
        made = tensors_of(conversion, store)
        yield header_of(made)
        for one in made:
            yield from one.pieces()

    def companion(name: str) -> Iterator[bytes]:
        with open(os.path.join(conversion.folder, name), "rb") as file:
            while piece := file.read(_STEP):
                yield piece

    files: dict[str, Callable[[], Iterator[bytes | memoryview]]] = {WEIGHTS: weights, NAME: config}
    return files | {name: partial(companion, name) for name in conversion.companions}


def _put(path: str, pieces: Iterator[bytes | memoryview]) -> int:
    size = 0
    with open(path, "xb", buffering=0) as file:
        for piece in pieces:
            size += len(piece)
            rest = memoryview(piece)
            while rest:
                rest = rest[file.write(rest) :]
    return size


def _holds(path: str, pieces: Iterator[bytes | memoryview]) -> bool:
    """Tell whether a file consists of exactly these bytes."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return all(file.read(len(piece)) == piece for piece in pieces) and not file.read(1)


def _sync(path: str) -> None:
    """Make the bytes of a file last, or the names in a folder.

    Raises:
        OSError: the disk refuses.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_names(folder: str) -> None:
    """Make the names in a folder last, where the system lets a folder be opened."""
    with contextlib.suppress(OSError):
        _sync(folder)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
