"""What a Python file does to an AdaLoRA model once it is wrapped: precision, settings, what it tells of ranks."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from adalint.readers.python_models import argument
from adalint.readers.python_moments import runs_before, share_a_loop
from adalint.readers.python_scopes import dotted
from adalint.readers.python_shapes import last_name
from adalint.readers.python_wrapping import configurations_of, number_of
from adalint.training import UseKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_models import Models
    from adalint.training import Use


CACHED: Final = ("target_r", "init_r", "beta1", "beta2")
"""Fields that the allocator copies when the model is wrapped, so that it never looks at them again."""

_TELLS: Final = re.compile(r"^(print|pprint|debug|info|warning|log|write|append)$|^log_")
_FLOAT_AGAIN: Final = (b".float(", b"float32", b"FloatTensor", b"cast_mixed_precision")
_HALF: Final = frozenset({"torch.float16", "torch.half"})


class Settings:
    """What one file does to its wrapped models."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.map = models.map

    def uses(self) -> Iterator[tuple[int, Use]]:
        """Find what is done, by the number of the configuration."""
        yield from self._halved()
        yield from self._changed()
        yield from self._told()

    def _halved(self) -> Iterator[tuple[int, Use]]:
        """Find `.half()`, `.to(torch.float16)` and wraps that leave the adapter in float16, before a training."""
        if self._is_float_again:
            return
        for method in ("half", "to"):
            for owner, call in self.models.calls_of(method):
                number = self.models.number(owner)
                if number is None or not self._makes_half(call) or self._is_handed_on(call):
                    continue
                if self._is_trained_after(call, number):
                    text = ast.unparse(call)[len(ast.unparse(owner)) :]
                    yield number, self.models.use(UseKind.HALF_PRECISION, call, half=text)
        for wrap, number in self.models.wraps.items():
            autocast = argument(wrap, None, "autocast_adapter_dtype")
            is_off = isinstance(autocast, ast.Constant) and autocast.value is False
            if is_off and wrap.args and self._is_half(wrap.args[0]) and self._is_trained_after(wrap, number):
                text = "autocast_adapter_dtype=False"
                yield number, self.models.use(UseKind.HALF_PRECISION, wrap, autocast=text)

    def _is_handed_on(self, call: ast.Call) -> bool:
        """Tell whether a function that is not of this file gets the model afterwards, and may make it float32 again."""
        owner = call.func.value if isinstance(call.func, ast.Attribute) else call
        statement = self.map.parent(call)
        names = {dotted(owner), *(dotted(one) for one in getattr(statement, "targets", ()))} - {""}
        later = (one for name in names for one in self.map.calls_by_first_argument.get(name, ()))
        return any(
            isinstance(one.func, ast.Name)
            and self.map.function_called(one) is None
            and last_name(one.func) not in {"print", "len", "Trainer", "Seq2SeqTrainer", "SFTTrainer", "get_peft_model"}
            and runs_before(call, one, self.map)
            for one in later
        )

    def _is_trained_after(self, node: ast.AST, number: int) -> bool:
        return any(runs_before(node, one, self.map) for one in self.models.allocations(number))

    @cached_property
    def _is_float_again(self) -> bool:
        """Whether the file makes anything float32, which may be the adapter."""
        return any(sign in self.map.source.content for sign in _FLOAT_AGAIN)

    def _makes_half(self, call: ast.Call) -> bool:
        if last_name(call.func) == "half":
            return not call.args
        given = [*call.args, *(one.value for one in call.keywords if one.arg == "dtype")]
        return any(self.map.path_of(one) in _HALF for one in given)

    def _is_half(self, model: ast.expr) -> bool:
        """Tell whether a base model is of float16, and plain: quantized weights have no say in the adapter's type."""
        made = self.models.things.flow.target(model)
        if not isinstance(made, ast.Call):
            return False
        if last_name(made.func) in {"half", "to"}:
            return isinstance(made.func, ast.Attribute) and self._makes_half(made)
        named = {one.arg: one.value for one in made.keywords}
        plain = not any(name is None or "quant" in name or "load_in" in name for name in named)
        dtype = named.get("dtype", named.get("torch_dtype"))
        is_text = isinstance(dtype, ast.Constant) and dtype.value == "float16"
        is_half = dtype is not None and (is_text or self.map.path_of(dtype) in _HALF)
        return plain and is_half and last_name(made.func) == "from_pretrained"

    def _changed(self) -> Iterator[tuple[int, Use]]:
        """Find fields that are assigned after the allocator has copied them."""
        stores = [one for field in CACHED for one in self.map.attribute_stores(field)]
        text = self.map.source.content
        if (
            not stores
            or b"rankallocator" in text.lower()
            or b"_set_budget_scheduler" in text
            or self._wraps_what_is_kept
        ):
            return
        for store in stores:
            number = self.models.of_kept(store.value)
            if number is None and isinstance(store.value, ast.Name):
                number = self._of_name(store, store.value)
            if number is not None and not self.models.follows_training(store, number):
                found = {"start": store.attr} if store.attr == "init_r" else {"field": store.attr}
                yield number, self.models.use(UseKind.SETTING_CHANGED, store, **found)

    @cached_property
    def _wraps_what_is_kept(self) -> bool:
        """Whether a model is wrapped with the configuration that another one keeps."""
        return any(
            isinstance(part, ast.Attribute) and part.attr in {"peft_config", "active_peft_config"}
            for wrap in self.map.wraps
            for given in configurations_of(wrap)
            for part in ast.walk(given)
        )

    def _of_name(self, store: ast.Attribute, name: ast.Name) -> int | None:
        """Find the configuration of that name, when a model is wrapped with it before and nothing uses it later."""
        number = number_of([name], self.models.nodes, self.models.things.flow)
        if number is None or self.models.things.flow.target(name) is not self.models.nodes[number]:
            return None
        wraps = [wrap for wrap, its in self.models.wraps.items() if its == number]
        others = [one for one in self.map.uses(name.id, name) if not isinstance(self.map.parent(one), ast.Attribute)]
        given = {part for wrap in wraps for one in configurations_of(wrap) for part in ast.walk(one)}
        is_after = bool(wraps) and all(
            runs_before(wrap, store, self.map) and not share_a_loop(wrap, store, self.map) for wrap in wraps
        )
        is_last = all(one in given or runs_before(one, store, self.map) for one in others)
        return number if is_after and is_last and not self._is_written(name) else None

    def _is_written(self, name: ast.Name) -> bool:
        """Tell whether a method of the configuration is called, which may write it to a file."""
        uses = (self.map.parent(one) for one in self.map.uses(name.id, name))
        return any(isinstance(one, ast.Attribute) and isinstance(self.map.parent(one), ast.Call) for one in uses)

    def _told(self) -> Iterator[tuple[int, Use]]:
        """Find ranks that are told from `ranknum`, or from the configuration's `r`, after the training."""
        for owner, call in self.models.calls_of("print_trainable_parameters"):
            number = self.models.number(owner)
            if number is not None and self.models.follows_training(call, number):
                yield number, self.models.use(UseKind.RANK_READ, call, told="print_trainable_parameters()")
        for attr in ("ranknum", "r"):
            for node in self.map.attributes_named(attr):
                if isinstance(node.ctx, ast.Load) and self._is_told(node):
                    number = self.models.of_kept(node.value) if attr == "r" else self._only_number
                    if number is not None and self.models.follows_training(node, number):
                        yield number, self.models.use(UseKind.RANK_READ, node, told=attr)

    @property
    def _only_number(self) -> int | None:
        return 0 if len(self.models.nodes) == 1 else None

    def _is_told(self, node: ast.AST) -> bool:
        calls = (one for one in self.map.parents(node) if isinstance(one, ast.Call))
        return any(_TELLS.search(last_name(one.func)) for one in calls)
