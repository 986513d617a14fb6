"""The task of the reference adapter in PEFT on torch, in float64: the same network, data, optimizer and events."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from peft import AdaLoraConfig, PeftModel, get_peft_model

from adalint.plan import Event
from adalint.reference import SGD, Raised
from adalint.reference.events import happenings
from adalint.reference.trainer import Training, settings_of
from adalint.schema import AdaLoraSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adalint.plan import Plan
    from adalint.reference import Array, Task

torch.set_num_threads(1)

ULPS = 4 * 2.0**-52


class Network(torch.nn.Module):
    """Linear layers, one after the other."""

    def __init__(self, weights: tuple[Array, ...]) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList()
        for weight in weights:
            layer = torch.nn.Linear(*weight.shape[::-1], bias=False, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weight))
            self.layers.append(layer)

    def forward(self, inputs: torch.Tensor, wanted: torch.Tensor) -> SimpleNamespace:
        hidden = inputs
        for layer in self.layers:
            hidden = layer(hidden)
        return SimpleNamespace(loss=(hidden - wanted).square().mean())


class PeftRun:
    """A run of a Plan in PEFT, one optimizer step at a time, that starts as the reference does.

    `folder` is that of a saved adapter to continue.
    """

    def __init__(self, plan: Plan, task: Task, *, penalised: bool = True, folder: Path | None = None) -> None:
        assert plan.modules is not None
        self.plan, self.loop, self.task = plan, plan.loop, task
        values = settings_of(plan)
        self.settings = AdaLoraSettings.model_construct(**values)
        self.fresh = Training(self.settings, task, plan.modules, penalised=penalised)
        self.config = AdaLoraConfig(**{"target_modules": r"layers\.\d+", **values})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network: Any = Network(self.fresh.lesson.weights)
            if folder is None:
                self.peft_model: Any = get_peft_model(network, self.config)
            else:
                self.peft_model = PeftModel.from_pretrained(network, folder, is_trainable=True)
                self.config = self.peft_model.peft_config["default"]
        self.model: Any = self.peft_model.base_model
        # Without a task type PEFT goes round `AdaLoraModel.forward`, where the penalty is.
        self.called: Any = self.model if penalised else self.peft_model
        self.layers = [layer for layer in self.model.modules() if hasattr(layer, "lora_E")]
        for layer in self.layers:
            layer.ranknum["default"].data = layer.ranknum["default"].data.double()
        self.parameters = [layer.lora_A["default"] for layer in self.layers]
        self.parameters += [layer.lora_E["default"] for layer in self.layers]
        self.parameters += [layer.lora_B["default"] for layer in self.layers]
        for parameter in self.parameters:
            parameter.data = parameter.data.double()
        if folder is None:
            self.set_flat(self.fresh.adapter.flat)
        self.optimizer = _optimizer(task, self.parameters)
        self.batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in self.fresh.lesson.batches]
        self.micro_batches = self.optimizer_step = self.calls = 0
        self.losses: list[float] = []
        self.raised: Raised | None = None

    def set_flat(self, flat: Array) -> None:
        """Put numbers in the order of `Adapter.flat` into the parameters."""
        with torch.no_grad():
            at = 0
            for parameter in self.parameters:
                part = torch.from_numpy(flat[at : at + parameter.numel()]).reshape(parameter.shape)
                parameter.copy_(part)
                at += parameter.numel()

    def flat(self) -> Array:
        """Give the parameters in the order of `Adapter.flat`."""
        return _flat(self.parameters)

    def gradients(self) -> Array | None:
        """Give the gradients in the order of `Adapter.flat`, None when there are none."""
        grads = [parameter.grad for parameter in self.parameters]
        return None if grads[0] is None else _flat([grad for grad in grads if grad is not None])

    def scores(self) -> tuple[Array, Array] | None:
        """Give the averages of sensitivity and uncertainty in the order of `Adapter.flat`."""
        allocator = self.model.rankallocator
        # A call that finds no gradients raises after it has laid out the first average alone.
        if len(allocator.exp_avg_ipt) < len(self.parameters):
            return None
        names = {id(parameter): name for name, parameter in self.model.model.named_parameters()}
        ordered = [names[id(parameter)] for parameter in self.parameters]
        kinds = (allocator.exp_avg_ipt, allocator.exp_avg_unc)
        first, second = (_flat([kind[name] for name in ordered]) for kind in kinds)
        return first, second

    def moments(self) -> tuple[int, Array, Array]:
        """Give the optimizer's state: steps, first and second moments, empty where there are none."""
        states = [self.optimizer.state.get(parameter, {}) for parameter in self.parameters]
        empty = np.zeros(0)
        if not states[0]:
            return 0, empty, empty
        if isinstance(self.task.optimizer, SGD):
            buffers = [state.get("momentum_buffer") for state in states]
            return 1, (_flat(buffers) if buffers[0] is not None else empty), empty
        kinds = [_flat([state[kind] for state in states]) for kind in ("exp_avg", "exp_avg_sq")]
        return int(states[0]["step"]), kinds[0], kinds[1]

    def pattern(self) -> list[bool] | None:
        """Give `rank_pattern` of all modules, one after the other."""
        pattern = self.config.rank_pattern
        return None if pattern is None else [stays for part in pattern.values() for stays in part]

    def happenings(self) -> Iterator[Event | int]:
        """List what happens until the run is over or raises: events, and for each call that is made its counter."""
        steps = int(self.config.total_step) if self.loop.steps is None else self.loop.steps
        for optimizer_step, happening in happenings(self.loop, range(steps), lambda: self.config.rank_pattern):
            self.optimizer_step = optimizer_step
            yield happening
            if self.raised:
                return

    def train(self) -> None:
        """Run to the end, or to the exception that PEFT raises."""
        for happening in self.happenings():
            self.do(happening)

    def do(self, happening: Event | int) -> None:
        """Let an event happen, or call the allocator with a counter."""
        if isinstance(happening, Event):
            self.undergo(happening)
            return
        try:
            self.model.update_and_allocate(happening)
        except Exception as error:  # noqa: BLE001 - whatever PEFT raises is the answer
            self.raised = Raised(type(error).__name__, str(error), happening, self.calls, self.optimizer_step)
        else:
            self.calls += 1

    def undergo(self, event: Event) -> None:
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

    def save(self, folder: Path) -> None:
        """Save the adapter as users do."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.peft_model.save_pretrained(folder)

    def loss(self, folder: Path | None = None) -> float:
        """Compute the loss on all batches without penalty, in memory or of a saved adapter that is loaded anew."""
        model: Any = self.peft_model
        if folder is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = PeftModel.from_pretrained(Network(self.fresh.lesson.weights), folder)
        with torch.no_grad():
            return float(np.mean([model(inputs, wanted).loss.item() for inputs, wanted in self.batches]))


def nudged(flat: Array) -> Array:
    """Move every number by four units in the last place, up or down."""
    moved: Array = flat * (1 + ULPS * np.random.default_rng(0).choice([-1.0, 1.0], flat.shape))
    return moved


def _optimizer(task: Task, parameters: list[Any]) -> torch.optim.Optimizer:
    made = task.optimizer
    if isinstance(made, SGD):
        return torch.optim.SGD(parameters, lr=made.lr, momentum=made.momentum, weight_decay=made.weight_decay)
    return torch.optim.AdamW(
        parameters, lr=made.lr, betas=(made.beta1, made.beta2), eps=made.eps, weight_decay=made.weight_decay
    )


def _flat(tensors: list[Any]) -> Array:
    flat: Array = torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).numpy()
    return flat
