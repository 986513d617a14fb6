"""Plans run in the PEFT that is installed: its own configuration, model and allocator, on a small stack of layers.

Network, data, optimizer and events are those of the reference adapter, in float64, so that the same questions can be
asked of both. Only Plans come here: nothing that is checked is imported or run.
"""

from __future__ import annotations

import dataclasses
import tempfile
import warnings
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from adalint.plan import Event
from adalint.schema import AdaLoraSettings, Stage
from adalint.trace import Undetermined

if TYPE_CHECKING:
    from adalint.plan import Plan
    from adalint.reference import Array, Task, Trajectory

LEFT_OUT: Final = frozenset(
    {
        "auto_mapping",
        "base_model_name_or_path",
        "exclude_modules",
        "layer_replication",
        "layers_pattern",
        "layers_to_transform",
        "megatron_config",
        "megatron_core",
        "modules_to_save",
        "peft_version",
        "revision",
        "target_modules",
        "target_parameters",
        "task_type",
        "trainable_token_indices",
    }
)
"""Fields that name parts of a model, or its class: they are construed, but a stack of layers has no such parts."""

REMEDY: Final = "pip install 'adalint[verify]' peft torch"


class Missing(Exception):
    """PEFT, torch or NumPy cannot be imported; says what to do."""


def installed() -> str:
    """Give the release of PEFT that would run.

    Raises Missing when PEFT, torch or NumPy cannot be imported.
    """
    try:
        import numpy  # noqa: F401, ICN001
        import peft
        import torch  # noqa: F401
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Missing(f"PEFT cannot be imported ({reason}): {REMEDY}") from error
    release: str = peft.__version__
    return release


def run(plan: Plan, task: Task | None = None) -> Trajectory:
    """Train as a plan says in PEFT, and tell what came of it.

    What PEFT raises ends the run and stands in the Trajectory, with its stage or step. `reloaded` and `checkpoint` are
    None. Raises Undetermined when the plan leaves open what the schedule depends on, or breaks on what is left out.
    """
    import torch

    from adalint.reference import Raised, Task, Trajectory

    if plan.unknowns() or plan.modules is None:
        raise Undetermined(plan.unknowns())
    task = task or Task()
    training = _Training(plan, task)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        # PEFT warns of what adalint has a rule for.
        warnings.simplefilter("ignore")
        torch.manual_seed(task.seed)
        try:
            training.prepare()
            training.train()
        except Exception as error:  # noqa: BLE001 - whatever PEFT raises is the answer
            raised = Raised(type(error).__name__, str(error), stage=training.stage)
            if training.stage is not None:
                return Trajectory(0, 0, raised=raised)
            step = training.step
            raised = Raised(raised.exception, raised.message, step, len(training.allocations), training.optimizer_step)
            return training.trajectory(raised)
        return training.trajectory(None)


class _Training:
    """A run in progress; `stage` is None once the first batch has gone through."""

    def __init__(self, plan: Plan, task: Task) -> None:
        from adalint.reference.trainer import settings_of

        self.plan, self.task = plan, task
        self.values = settings_of(plan)
        self.stage: Stage | None = Stage.CONSTRUCTION
        self.step: int | None = None
        self.optimizer_step = self.micro_batches = 0
        self.losses: list[float] = []
        self.allocations: list[Any] = []
        self.first_mask: int | None = None
        self.finalised = False

    def prepare(self) -> None:
        """Construe the configuration as it is written, and wrap a stack of layers; raises what PEFT does."""
        import numpy as np

        from adalint.reference.task import prepare
        from adalint.reference.trainer import Training

        peft: Any = import_module("peft")
        own = {one.name for one in dataclasses.fields(peft.AdaLoraConfig)}
        values = {name: value for name, value in self.values.items() if name in own}
        peft.AdaLoraConfig(**dict.fromkeys(self.plan.strangers), **values)
        kept = {name: value for name, value in values.items() if name not in LEFT_OUT}
        self.config = peft.AdaLoraConfig(**kept, target_modules=r"layers\.\d+")
        self.stage = Stage.WRAP
        network = _network(prepare(self.task, self.plan.modules or 0).weights)
        self.peft_model: Any = peft.get_peft_model(network, self.config)
        self.model: Any = self.peft_model.base_model
        penalised = values.get("task_type") is not None
        # Without a task type PEFT goes round `AdaLoraModel.forward`, where the penalty is.
        self.called: Any = self.model if penalised else self.peft_model
        self.stage = Stage.FORWARD
        settings = AdaLoraSettings.model_construct(**self.values)
        fresh = Training(settings, self.task, self.plan.modules or 0, penalised=penalised)
        self.batches = [(_tensor(inputs), _tensor(wanted)) for inputs, wanted in fresh.lesson.batches]
        layers: list[Any] = [layer for layer in self.model.modules() if hasattr(layer, "lora_E")]
        for layer in layers:
            layer.ranknum["default"].data = layer.ranknum["default"].data.double()
        kinds = ("lora_A", "lora_E", "lora_B")
        self.parameters = [getattr(layer, kind)["default"] for kind in kinds for layer in layers]
        at = 0
        for parameter in self.parameters:
            part = fresh.adapter.flat[at : at + parameter.numel()]
            parameter.data = _tensor(part).reshape(parameter.shape)
            at += parameter.numel()
        self.size = at
        self.scale = float(layers[0].scaling["default"] / (layers[0].ranknum["default"].detach() + 1e-5))
        self.masked: Any = np.zeros(sum(layer.lora_E["default"].numel() for layer in layers), dtype=bool)
        # Beside a base model that is not float32 PEFT would let `ranknum` be trained, too.
        self.optimizer = _optimizer(self.task, [one for one in self.parameters if one.requires_grad])

    def train(self) -> None:
        """Let everything happen, to the end or to the exception that PEFT raises."""
        from adalint.reference.events import happenings
        from adalint.reference.shorten import length

        steps = range(length(self.plan))
        for at, happening in happenings(self.plan.loop, steps, lambda: self.config.rank_pattern):
            self.optimizer_step = at
            if isinstance(happening, Event):
                self._undergo(happening)
                self.stage = None
            else:
                self.stage, self.step = None, happening
                self._allocate(happening)

    def _undergo(self, event: Event) -> None:
        import torch

        match event:
            case Event.BACKWARD:
                total = 0.0
                for _ in range(self.task.accumulation):
                    inputs, wanted = self.batches[self.micro_batches % len(self.batches)]
                    self.micro_batches += 1
                    loss = self.called(inputs, wanted).loss / self.task.accumulation
                    loss.backward()
                    total += loss.item()
                self.losses.append(total)
            case Event.STEP:
                self.optimizer.step()
            case Event.ZERO_GRAD:
                self.optimizer.zero_grad()
            case Event.ZERO_FILL:
                for parameter in self.parameters:
                    parameter.grad = torch.zeros_like(parameter)

    def _allocate(self, step: int) -> None:
        import numpy as np

        from adalint.reference import Allocation

        self.model.update_and_allocate(step)
        allocator = self.model.rankallocator
        end = self.config.total_step - self.config.tfinal
        budget, due = allocator.target_bgt, step > end
        if step <= end:
            budget, due = allocator.budget_schedule(step)
            due = due or step == end
        if due:
            self.first_mask = step if self.first_mask is None else self.first_mask
            self.masked |= ~np.concatenate([np.asarray(part, dtype=bool) for part in self.config.rank_pattern.values()])
        self.finalised = self.finalised or step == end
        mask = tuple(tuple(part) for part in self.config.rank_pattern.values()) if due else None
        self.allocations.append(Allocation(step, self.optimizer_step, budget, mask, sum(self._live())))

    def _live(self) -> tuple[int, ...]:
        import numpy as np

        count = self.plan.modules or 0
        values = np.concatenate([_numbers(one) for one in self.parameters[count : 2 * count]])
        parts = np.split(~(self.masked & (values == 0.0)), count)
        return tuple(int(part.sum()) for part in parts)

    def trajectory(self, raised: Any) -> Trajectory:
        """Tell what came of the run, saving the adapter as users do."""
        from adalint.reference import Raised, Saved, Trajectory

        saved, unsaved = None, None
        pattern: Any = self.config.rank_pattern
        try:
            saved = Saved(self._saved(), None if pattern is None else dict(pattern))
        except Exception as error:  # noqa: BLE001 - a pattern of the user's may be anything
            unsaved = Raised(type(error).__name__, str(error), stage=Stage.SAVE)
        made = isinstance(pattern, dict) and all(isinstance(part, list) for part in pattern.values())
        allocator = self.model.rankallocator
        names = [f"layers.{at}.{kind}" for kind in "AEB" for at in range(self.plan.modules or 0)]
        return Trajectory(
            allocator.init_bgt,
            allocator.target_bgt,
            self.scale,
            self.size,
            tuple(self.losses),
            tuple(self.allocations),
            raised,
            self.first_mask,
            self.finalised,
            self._live(),
            tuple(sum(part) for part in pattern.values()) if made and pattern else None,
            {name: _numbers(one) for name, one in zip(names, self.parameters, strict=True)},
            saved=saved,
            unsaved=unsaved,
        )

    def _saved(self) -> dict[str, Any]:
        peft: Any = import_module("peft")
        with tempfile.TemporaryDirectory() as folder:
            self.peft_model.save_pretrained(folder)
        state = peft.get_peft_model_state_dict(self.peft_model)
        return {name.removeprefix("base_model.model."): tensor.detach().numpy() for name, tensor in state.items()}


def _network(weights: tuple[Array, ...]) -> Any:
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList()
            for weight in weights:
                outputs, inputs = weight.shape
                layer = torch.nn.Linear(inputs, outputs, bias=False, dtype=torch.float64)
                layer.weight.data = _tensor(weight)
                self.layers.append(layer)

        def forward(self, inputs: Any, wanted: Any) -> SimpleNamespace:
            hidden = inputs
            for layer in self.layers:
                hidden = layer(hidden)
            return SimpleNamespace(loss=(hidden - wanted).square().mean())

    return Network()


def _tensor(numbers: Array) -> Any:
    """Copy numbers to where torch aligns them: how they lie in memory decides on the last bit of a product."""
    import torch

    return torch.from_numpy(numbers).clone()


def _optimizer(task: Task, parameters: list[Any]) -> Any:
    import torch

    from adalint.reference import SGD

    made = task.optimizer
    if isinstance(made, SGD):
        return torch.optim.SGD(parameters, lr=made.lr, momentum=made.momentum, weight_decay=made.weight_decay)
    return torch.optim.AdamW(
        parameters, lr=made.lr, betas=(made.beta1, made.beta2), eps=made.eps, weight_decay=made.weight_decay
    )


def _numbers(parameter: Any) -> Any:
    return parameter.detach().numpy().ravel().copy()
