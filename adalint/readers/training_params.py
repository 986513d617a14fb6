"""How long the run is for which an `adapter_config.json` is written: `training_params.json` beside it.

PEFT's own comparison of methods keeps an experiment in `TASK/experiments/METHOD/NAME`, and takes what its
`training_params.json` does not say from `TASK/default_training_params.json`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from adalint import files
from adalint.source import SourceError, Span
from adalint.values import Literal, Value

if TYPE_CHECKING:
    from adalint.source import Source

OWN: Final = "training_params.json"
DEFAULTS: Final = "default_training_params.json"
LARGEST: Final = 1_000_000

_WEIGHTS: Final = ("adapter_model.safetensors", "adapter_model.bin")
_LENGTH: Final = "max_steps"
_UP: Final = ("..", "..", "..")


def run_length_beside(source: Source) -> tuple[Value, str] | None:
    """Give the number of steps of the run, and the path of the file that tells it, from the folder of the source.

    None where the source is no file or has its trained weights beside it, where nothing tells a number, and where a
    file that would count cannot be read.
    """
    if not os.path.isfile(source.path):
        return None
    folder = os.path.dirname(os.path.abspath(source.path))
    if any(os.path.exists(os.path.join(folder, name)) for name in _WEIGHTS):
        return None
    for name in (OWN, *_defaults_of(folder)):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        told = _read(path)
        if told is None:
            return None
        if _LENGTH in told:
            return _length(told[_LENGTH], name)
    return None


def _defaults_of(folder: str) -> tuple[str, ...]:
    around = os.path.basename(os.path.dirname(os.path.dirname(folder)))
    return ("/".join((*_UP, DEFAULTS)),) if around == "experiments" else ()


def _read(path: str) -> dict[Any, Any] | None:
    try:
        told = json.loads(files.read(path, LARGEST).decode())
    except (SourceError, ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _length(steps: Any, name: str) -> tuple[Value, str] | None:
    if not isinstance(steps, int) or isinstance(steps, bool) or steps <= 0:
        return None
    nowhere = Span(0, 0)
    return Value(Literal(steps), nowhere, nowhere, str(steps)), name
