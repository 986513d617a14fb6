"""Adapters that a Python file loads."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from adalint.readers.python_models import argument
from adalint.readers.python_moments import may_fail, runs_before
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
            if made in loaded and self._asks_for_a_loss(call) and not may_fail(call, self.map):
                yield loaded[made], self.models.use(UseKind.LABELS_ON_INFERENCE, call, labels="labels")
        for owner, call in self.models.calls_of("evaluate"):
            trainer = self.models.things.made(owner)
            if trainer is None or not last_name(trainer.func).endswith("Trainer") or may_fail(call, self.map):
                continue
            if (
                self.map.class_named(trainer.func) is not None
                or argument(trainer, None, "compute_loss_func") is not None
            ):
                continue
            model = argument(trainer, 0, "model")
            judged = None if model is None else self.models.things.made(model)
            if judged in loaded:
                yield (
                    loaded[judged],
                    self.models.use(UseKind.LABELS_ON_INFERENCE, call, trainer=last_name(trainer.func)),
                )

    def _asks_for_a_loss(self, call: ast.Call) -> bool:
        """Tell whether a model is given labels, or its loss is read, and answers with more than a tuple."""
        given = {one.arg: one.value for one in call.keywords}
        labels, wanted = given.get("labels"), self.map.parent(call)
        is_none = isinstance(labels, ast.Constant) and labels.value is None
        is_tuple = "return_dict" in given and not (
            isinstance(given["return_dict"], ast.Constant) and given["return_dict"].value is True
        )
        reads = isinstance(wanted, ast.Attribute) and wanted.attr == "loss"
        return not is_tuple and not is_none and (labels is not None or reads)

    def _loads(self, call: ast.Call) -> int | None:
        """Find the configuration of the adapter that a call loads for inference: the one that is saved there."""
        trainable = argument(call, None, "is_trainable")
        is_frozen = trainable is None or (isinstance(trainable, ast.Constant) and trainable.value is False)
        if not is_loaded(call, self.map) or not is_frozen:
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
