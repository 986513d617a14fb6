"""What `total_step` counts where it is a product with a length: samples of a data set, or batches of a loader."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from adalint.readers.python_counters import loops_around
from adalint.readers.python_dicts import keywords
from adalint.readers.python_models import argument
from adalint.readers.python_scopes import dotted
from adalint.readers.python_shapes import last_name
from adalint.training import UseKind
from adalint.values import UNKNOWN, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.readers.python_models import Models
    from adalint.training import Use
    from adalint.values import Expr

_ACCUMULATIONS: Final = frozenset({"gradient_accumulation_steps", "accumulate_grad_batches", "accumulation_steps"})
_LOADER: Final = re.compile(r"(?i)loader|_dl$|^dl$|batches")
_DATASET: Final = re.compile(r"(?i)dataset|^ds$|_ds$")
_TRAINER_DEFAULT: Final = 8
"""`per_device_train_batch_size` of `TrainingArguments` where none is given."""

_FOLLOWED: Final = 8
_LARGEST_PRODUCT: Final = 8


class Lengths:
    """The lengths that one file gives to `total_step`."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.map = models.map
        self.flow = models.things.flow

    def uses(self) -> Iterator[tuple[int, Use]]:
        """Tell what `total_step` counts, by the number of the configuration, where it is no optimizer step."""
        if b"len(" not in self.map.source.content:
            return
        for number, node in enumerate(self.models.nodes):
            item = keywords(self.flow, node.keywords).items.get("total_step") if isinstance(node, ast.Call) else None
            counted = None if item is None or item.node is None else self._length_in(item.node)
            if counted is None:
                continue
            if self._is_loader(counted):
                factor = self._accumulation or self._rounds_of_a_step(number, counted)
                if factor is not None:
                    found = {"factor": str(factor), "loader": ast.unparse(counted)}
                    yield number, self.models.use(UseKind.MICRO_BATCHES_COUNTED, node, **found)
            elif self._is_dataset(counted) and not self._is_walked(counted):
                batch = self._batch_size(counted)
                if batch is not None:
                    found = {"dataset": ast.unparse(counted)}
                    known = {} if batch is UNKNOWN else {"batch": str(batch.value)}  # type: ignore[union-attr]
                    yield number, self.models.use(UseKind.SAMPLES_COUNTED, node, **found, **known)

    def _length_in(self, node: ast.expr) -> ast.expr | None:
        """Find what is measured by the one `len` in a product; None where anything else is done to it."""
        measured: list[ast.expr] = []
        pending, looked_at = [node], 0
        while pending and looked_at < _LARGEST_PRODUCT:
            looked_at += 1
            match self._followed(pending.pop()):
                case ast.BinOp(left=left, op=ast.Mult(), right=right):
                    pending += [left, right]
                case ast.Call(func=ast.Name(id="len"), args=[one]):
                    measured.append(one)
                case ast.Call(func=ast.Name(id="int"), args=[one]):
                    pending.append(one)
                case ast.Constant(value=int()) | ast.Name() | ast.Attribute() | ast.Subscript():
                    pass
                case _:
                    return None
        return measured[0] if len(measured) == 1 and not pending else None

    def _followed(self, node: ast.expr) -> ast.expr:
        """Follow names to a product or a length; what is anything else stays the name."""
        following = self.flow.target(node) if isinstance(node, ast.Name | ast.Attribute) else None
        return node if following is None else following

    def _made(self, node: ast.expr) -> ast.expr | None:
        return self.flow.target(node) if isinstance(node, ast.Name | ast.Attribute) else node

    def _is_loader(self, node: ast.expr) -> bool:
        made = self._made(node)
        if isinstance(made, ast.Call):
            return "DataLoader" in last_name(made.func) or "dataloader" in last_name(made.func)
        return made is None and bool(_LOADER.search(dotted(node)))

    def _is_dataset(self, node: ast.expr) -> bool:
        """Tell whether something is a data set: what makes it says so, else its name."""
        for _ in range(_FOLLOWED):
            match self._made(node):
                case ast.Call(func=func) as made:
                    path = self.map.path_of(func) or ""
                    if path.startswith("datasets.") or (path.startswith("torch.utils.data.") and "Loader" not in path):
                        return True
                    if isinstance(func, ast.Attribute) and func.attr in {"map", "shuffle", "select", "filter"}:
                        node = func.value
                        continue
                    owner = self.map.class_named(made.func)
                    return owner is not None and any("Dataset" in last_name(base) for base in owner.bases)
                case ast.Subscript(value=owner, slice=ast.Constant(value=str())):
                    node = owner
                    continue
                case None:
                    name = dotted(node).rpartition(".")[2]
                    is_called_one = bool(_DATASET.search(name)) and not _LOADER.search(name)
                    return is_called_one or self._is_trained_on(node)
            return False
        return False

    def _is_trained_on(self, node: ast.expr) -> bool:
        """Tell whether a name that is bound once is what PyTorch's loader, or a Trainer, takes as its data set."""
        if not isinstance(node, ast.Name) or self.map.the_binding(node.id, node) is None:
            return False
        owner, _ = self.map.owner_of(node.id, node)
        for call in self.map.calls():
            path = self.map.path_of(call.func) or ""
            given = argument(call, 0, "dataset") if path.startswith("torch.utils.data.") else None
            if path.startswith(("transformers.", "trl.")) and path.endswith("Trainer"):
                given = argument(call, None, "train_dataset")
            if isinstance(given, ast.Name) and given.id == node.id:
                return self.map.owner_of(given.id, given)[0] is owner
        return False

    def _is_walked(self, node: ast.expr) -> bool:
        """Tell whether a loop of the file goes through the data set itself, so that samples may be steps."""
        text = ast.unparse(node)
        loops = (one for one in self.map.nodes() if isinstance(one, ast.For | ast.AsyncFor))
        return any(
            ast.unparse(part) == text
            for loop in loops
            for part in ast.walk(loop.iter)
            if isinstance(part, ast.Name | ast.Attribute | ast.Subscript)
        )

    def _batch_size(self, dataset: ast.expr) -> Expr | None:
        """Give the size of the batches that are made of a data set; UNKNOWN if symbolic, None if it may be one."""
        sizes = [self._size_of(call) for call in self.map.calls() if self._loads(call, dataset)]
        if not sizes:
            arguments = [call for call in self.map.calls() if last_name(call.func).endswith("TrainingArguments")]
            sizes = [self._setting_of(call, "per_device_train_batch_size", _TRAINER_DEFAULT) for call in arguments]
        known = {one.value for one in sizes if isinstance(one, Literal)}
        if not sizes or not all(type(one) is int and one > 1 for one in known):
            return None
        return Literal(known.pop()) if len(known) == 1 and all(isinstance(one, Literal) for one in sizes) else UNKNOWN

    def _loads(self, call: ast.Call, dataset: ast.expr) -> bool:
        """Tell whether a call makes a loader of a data set."""
        given = argument(call, 0, "dataset")
        return "DataLoader" in last_name(call.func) and given is not None and ast.unparse(given) == ast.unparse(dataset)

    def _size_of(self, call: ast.Call) -> Expr:
        given = argument(call, 1, "batch_size")
        if given is None:
            hidden = any(one.arg in {None, "batch_sampler"} for one in call.keywords)
            return UNKNOWN if hidden else Literal(1)
        return self.flow.value(given)

    def _setting_of(self, call: ast.Call, name: str, default: int) -> Expr:
        given = argument(call, None, name)
        if given is None:
            return UNKNOWN if any(one.arg is None for one in call.keywords) else Literal(default)
        return self.flow.value(given)

    @cached_property
    def _accumulation(self) -> int | None:
        """Give the number of backward passes for one optimizer step, where the file says one number above 1."""
        said = set(self._settings(_ACCUMULATIONS))
        factor = said.pop() if len(said) == 1 else None
        is_more = isinstance(factor, Literal) and type(factor.value) is int and factor.value > 1
        return factor.value if is_more and isinstance(factor, Literal) else None

    def _rounds_of_a_step(self, number: int, loader: ast.expr) -> int | None:
        """Give the number of batches of a loader for one optimizer step, where the one loop that trains tells it.

        A setting of that name says something else, if only that it is unknown.
        """
        trained = self.models.owned.get(number, ())
        if len(trained) != 1 or any(True for _ in self._settings(_ACCUMULATIONS)):
            return None
        [one] = trained
        walk = None if one.node is None else next(loops_around(one.node, self.map), None)
        factor = one.training.accumulation
        is_more = one.training.accumulates is True and one.training.micro_rounds and factor is not None and factor > 1
        if not is_more or not isinstance(walk, ast.For) or not self._is_in(walk.iter, loader):
            return None
        return factor

    def _is_in(self, iterated: ast.expr, loader: ast.expr) -> bool:
        text = ast.unparse(loader)
        return any(ast.unparse(one) == text for one in ast.walk(iterated) if isinstance(one, ast.Name | ast.Attribute))

    def _settings(self, names: frozenset[str]) -> Iterator[Expr]:
        """Give what keywords and variables of these names are worth."""
        for node in self.map.nodes():
            match node:
                case ast.keyword(arg=str(name), value=value) if name in names:
                    yield self.flow.value(value)
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.lower() in names:
                    yield self.flow.value(value)
