"""Adapters that a Python file loads."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.readers.python_models import argument
from adalint.readers.python_moments import runs_before
from adalint.readers.python_shapes import last_name
from adalint.readers.python_wrapping import is_loaded
from adalint.training import UseKind
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_models import Models
    from adalint.training import Use


class Loaded:
    """The adapters that one file loads."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.map = models.map

    def uses(self) -> Iterator[tuple[int, Use]]:
        """Find adapters that the file has saved, loads for inference, and asks for a loss."""
        text = self.map.source.content
        if b"from_pretrained" not in text or b"save_pretrained" not in text or b"trainable_adapter_name" in text:
            return
        loaded = {call: number for call in self.map.calls() if (number := self._loads(call)) is not None}
        if not loaded:
            return
        for call in self.map.calls():
            made = self.models.things.made(call.func) if not isinstance(call.func, ast.Attribute) else None
            if made in loaded and any(one.arg == "labels" for one in call.keywords):
                yield loaded[made], self.models.use(UseKind.LABELS_ON_INFERENCE, call, labels="labels")
        for owner, call in self.models.calls_of("evaluate"):
            trainer = self.models.things.made(owner)
            if trainer is None or not last_name(trainer.func).endswith("Trainer"):
                continue
            model = argument(trainer, 0, "model")
            judged = None if model is None else self.models.things.made(model)
            if judged in loaded:
                yield (
                    loaded[judged],
                    self.models.use(UseKind.LABELS_ON_INFERENCE, call, trainer=last_name(trainer.func)),
                )

    def _loads(self, call: ast.Call) -> int | None:
        """Find the configuration of the adapter that a call loads for inference: the one that is saved there."""
        if not is_loaded(call, self.map) or argument(call, None, "is_trainable") is not None:
            return None
        is_auto = "AutoPeftModel" in (self.map.path_of(call.func) or "")
        place = argument(call, 0 if is_auto else 1, "pretrained_model_name_or_path" if is_auto else "model_id")
        worth = None if place is None else self.models.things.flow.value(place)
        if not isinstance(worth, Literal):
            return None
        for attribute in self.map.attributes_named("save_pretrained"):
            saves = self.map.parent(attribute)
            given = argument(saves, 0, "save_directory") if isinstance(saves, ast.Call) else None
            if (
                given is not None
                and self.models.things.flow.value(given) == worth
                and runs_before(attribute, call, self.map)
            ):
                return self.models.number(attribute.value)
        return None
