"""What a Python file does with its AdaLoRA configurations and models, besides training them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adalint.readers.python_adapters import Adapters
from adalint.readers.python_lengths import Lengths
from adalint.readers.python_loaded import Loaded
from adalint.readers.python_models import Models
from adalint.readers.python_settings import Settings

if TYPE_CHECKING:
    import ast
    from collections.abc import Mapping, Sequence

    from adalint.readers.python_loops import Found
    from adalint.readers.python_things import Things
    from adalint.training import Use


def model_uses(things: Things, nodes: Sequence[ast.expr], owned: Mapping[int, Sequence[Found]]) -> dict[int, list[Use]]:
    """Find what is done with each configuration, by its number in `nodes`, and with the models made with it.

    `owned` gives the trainings of each.
    """
    found: dict[int, list[Use]] = {}
    if nodes:
        models = Models(things, nodes, owned)
        for one in (Adapters(models), Lengths(models), Settings(models), Loaded(models)):
            for number, use in one.uses():
                found.setdefault(number, []).append(use)
    return found
