"""The files that lie beside an adapter, and which of them go with it."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from adalint.migrate import MigrationError
from adalint.migrate.adalora_config import NAME

if TYPE_CHECKING:
    from collections.abc import Container

KEPT: Final = (
    "*.jinja",
    "LICENSE*",
    "NOTICE*",
    "README*",
    "added_tokens.json",
    "chat_template.json",
    "generation_config.json",
    "merges.txt",
    "preprocessor_config.json",
    "processor_config.json",
    "sentencepiece*.model",
    "special_tokens_map.json",
    "spiece.model",
    "tokenizer*.json",
    "tokenizer.model",
    "video_preprocessor_config.json",
    "vocab.*",
)
"""What a server reads from the folder of an adapter, its card and its licence; never the state of a training."""


def companions_in(folder: str, weights: Container[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List the files of a folder that are copied with its adapter, and those that are left.

    Raises:
        MigrationError: the folder cannot be listed.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise MigrationError(f"{folder}: cannot be listed: {error.strerror}") from None
    others = [name for name in names if name != NAME and name not in weights]
    places = _places(folder)
    kept = [name for name in others if _is_kept(name) and _is_own_file(os.path.join(folder, name), places)]
    return tuple(kept), tuple(name for name in others if name not in kept)


def _places(folder: str) -> tuple[str, ...]:
    """Give the folders where an adapter's files may lie: its own, and in a Hugging Face cache that of the blobs."""
    place = os.path.realpath(folder)
    return place, os.path.normpath(os.path.join(place, "..", "..", "blobs"))


def _is_own_file(path: str, places: tuple[str, ...]) -> bool:
    """Tell whether it is a file, and no link to somewhere else, which would be published with the result."""
    real = os.path.realpath(path)
    return os.path.isfile(real) and any(real.startswith(place.rstrip(os.sep) + os.sep) for place in places)


def _is_kept(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in KEPT)
