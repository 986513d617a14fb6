"""Run a Plan through PEFT's own `AdaLoraModel.update_and_allocate` and say how it ended.

The modules are tiny, gradients and weights are set by hand. Each triplet has a size of its own, so that scores are
distinct and, up to some thirty triplets, keep their order: the schedule alone decides how many ranks are left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from peft import AdaLoraConfig, get_peft_model
from peft.tuners.adalora import RankAllocator

from adalint.plan import SCHEDULE_FIELDS, Event
from adalint.values import Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adalint.plan import Loop, Plan

torch.set_num_threads(1)

WEATHERS = 5
"""How many different sets of gradients take turns."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended in PEFT; the message is the exception's own, `rank_pattern` summed up is `kept`."""

    exception: str | None
    message: str | None
    failing_step: int | None
    failing_call: int | None
    failing_optimizer_step: int | None
    calls: int
    live: int
    kept: int | None


def settings(plan: Plan) -> dict[str, Any]:
    """Give the schedule fields of a concrete plan as keyword arguments of AdaLoraConfig."""
    exprs = {name: plan.values[name] for name in SCHEDULE_FIELDS}
    return {name: expr.value for name, expr in exprs.items() if isinstance(expr, Literal)}


def run(plan: Plan, *, before_validation: bool = False) -> Outcome:
    """Train with PEFT's allocator; `before_validation` lets in schedules that only releases before 0.15 accept."""
    fields = settings(plan)
    assert plan.modules is not None
    adapter = _adapter(fields["init_r"], plan.modules)
    adapter.start(_unvalidated(fields) if before_validation else AdaLoraConfig(**fields))
    return _outcome(plan, adapter)


def run_adamw(plan: Plan) -> Outcome:
    """Train a small regression for real: PEFT's allocator, PyTorch's gradients and AdamW."""
    assert plan.modules is not None
    return _outcome(plan, _Regression(AdaLoraConfig(**settings(plan), target_modules=["0"]), plan.modules))


def _outcome(plan: Plan, adapter: _Adapter | _Regression) -> Outcome:
    loop = plan.loop
    calls = 0
    steps = int(settings(plan)["total_step"]) if loop.steps is None else loop.steps
    for optimizer_step in range(steps):
        position = optimizer_step if loop.counter.period is None else optimizer_step % loop.counter.period
        call = 0
        for event in events(loop):
            if event is not Event.ALLOCATE:
                adapter.undergo(event)
                continue
            step = loop.counter.start + loop.counter.stride * position + loop.counter.call_stride * call
            call += 1
            if not guard_opens(loop, step):
                continue
            try:
                adapter.model.update_and_allocate(step)
            except Exception as error:  # noqa: BLE001
                name, ranks = type(error).__name__, (live(adapter), kept(adapter))
                return Outcome(name, str(error), step, calls, optimizer_step, calls, *ranks)
            calls += 1
    return Outcome(None, None, None, None, None, calls, live(adapter), kept(adapter))


def live(adapter: _Adapter | _Regression) -> int:
    """Count the ranks that are not zero in memory."""
    return sum(int(torch.count_nonzero(value)) for value in adapter.values)


def kept(adapter: _Adapter | _Regression) -> int | None:
    """Count the ranks that `save_pretrained` would write."""
    pattern = adapter.model.peft_config["default"].rank_pattern
    return None if pattern is None else sum(sum(ranks) for ranks in pattern.values())


def allocator(plan: Plan) -> RankAllocator:
    """Give PEFT's own allocator for a plan, with whatever schedule it has."""
    fields = settings(plan)
    assert plan.modules is not None
    adapter = _adapter(fields["init_r"], plan.modules)
    adapter.start(_unvalidated(fields))
    allocator: RankAllocator = adapter.model.rankallocator
    return allocator


def _unvalidated(fields: dict[str, Any]) -> AdaLoraConfig:
    config = AdaLoraConfig(total_step=1)
    for name, value in fields.items():
        setattr(config, name, value)
    return config


def guard_opens(loop: Loop, step: int) -> bool:
    """Tell whether the condition around the call holds; nothing but the call ever sets `rank_pattern`."""
    guard = loop.guard
    if guard.needs_rank_pattern or loop.allocates is not True:
        return False
    if guard.first is not None and step < guard.first:
        return False
    if guard.last is not None and step > guard.last:
        return False
    return step % guard.every == guard.remainder


def events(loop: Loop) -> Iterator[Event]:
    """Go through one optimizer step of several micro-batches, each with its backward pass and its call."""
    order = [event for event in loop.order if loop.calls or event is not Event.ALLOCATE]
    pair = [event for event in order if event in (Event.BACKWARD, Event.ALLOCATE)]
    for event in order:
        if event is pair[0]:
            for _ in range(loop.calls - 1):
                yield from pair
        yield event


class _Adapter:
    """One wrapped model, used again for every run with as many ranks and modules."""

    def __init__(self, init_r: int, modules: int) -> None:
        torch.manual_seed(10 * init_r + modules)
        base = torch.nn.Sequential(*(torch.nn.Linear(2, 2, bias=False) for _ in range(modules)))
        names = [str(module) for module in range(modules)]
        peft_model: Any = get_peft_model(base, AdaLoraConfig(init_r=init_r, total_step=1, target_modules=names))
        self.model: Any = peft_model.base_model
        layers = [layer for layer in self.model.modules() if hasattr(layer, "lora_E")]
        assert len(layers) == modules
        self.values = [layer.lora_E["default"] for layer in layers]
        self.parameters: list[torch.nn.Parameter] = []
        sizes: list[torch.Tensor] = []
        # One size for each triplet: its row of A, its column of B, its element of E.
        count = init_r * modules
        ranked = 2.0 ** (torch.randperm(count).reshape(modules, init_r) * min(1, 30 / max(count, 1)))
        for layer, size in zip(layers, ranked, strict=True):
            self.parameters += [layer.lora_A["default"], layer.lora_B["default"], layer.lora_E["default"]]
            sizes += [size[:, None], size[None, :], size[:, None]]
        self.trained = [0.5 + torch.rand_like(value) for value in self.values]
        with torch.no_grad():
            for parameter in self.parameters:
                parameter.copy_(0.5 + torch.rand_like(parameter))
        self.gradients = [
            [
                (0.9 + 0.2 * torch.rand_like(parameter)) * size
                for parameter, size in zip(self.parameters, sizes, strict=True)
            ]
            for _ in range(WEATHERS)
        ]
        self.zeros = [torch.zeros_like(parameter) for parameter in self.parameters]

    def start(self, config: AdaLoraConfig) -> None:
        self.model.peft_config["default"] = config
        self.model.rankallocator = RankAllocator(self.model.model, config, "default")  # type: ignore[no-untyped-call]
        self.weather = 0
        self._set_gradients([None] * len(self.parameters))
        self._restore()

    def undergo(self, event: Event) -> None:
        match event:
            case Event.BACKWARD:
                self._set_gradients(self.gradients[self.weather % WEATHERS])
                self.weather += 1
            case Event.ZERO_GRAD:
                self._set_gradients([None] * len(self.parameters))
            case Event.ZERO_FILL:
                self._set_gradients(self.zeros)
            case Event.STEP:
                # Like every optimizer, this one moves only what has a gradient, and then all of it.
                if self.values[0].grad is not None and self.values[0].grad.any():
                    self._restore()

    def _set_gradients(self, gradients: list[Any]) -> None:
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient

    def _restore(self) -> None:
        with torch.no_grad():
            for value, trained in zip(self.values, self.trained, strict=True):
                value.copy_(trained)


class _Regression:
    """A small network with one adapted layer for each module, which learns ten random points."""

    def __init__(self, config: AdaLoraConfig, modules: int) -> None:
        torch.manual_seed(modules)
        network = torch.nn.Sequential()
        for at in range(modules):
            network.add_module(f"block{at}", torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Tanh()))
        self.peft_model: Any = get_peft_model(network, config)
        self.model: Any = self.peft_model.base_model
        self.values = [value for name, value in self.model.named_parameters() if "lora_E" in name]
        assert len(self.values) == modules
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.05)
        self.inputs, self.wanted = torch.randn(10, 8), torch.randn(10, 8)

    def undergo(self, event: Event) -> None:
        match event:
            case Event.BACKWARD:
                loss = torch.nn.functional.mse_loss(self.peft_model(self.inputs), self.wanted)
                loss.backward()  # type: ignore[no-untyped-call]
            case Event.STEP:
                self.optimizer.step()
            case Event.ZERO_GRAD:
                self.optimizer.zero_grad()
            case Event.ZERO_FILL:
                self.optimizer.zero_grad(set_to_none=False)


@cache
def _adapter(init_r: int, modules: int) -> _Adapter:
    return _Adapter(init_r, modules)
