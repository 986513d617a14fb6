"""AdaLoRA as its first implementation has it, written anew from the paper and from what is known of that code.

It stands in for the loralib of AdaLoRA, which no package index has: the `loralib` of PyPI is plain LoRA. Formulas are
those of arXiv:2303.10512: the triplets of section 3.1, the penalty of equation 4, sensitivity, its averages and the
importance of equations 8 to 10, the budget of equation 12. What the paper leaves open is marked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL: list[RankAllocator] = []
"""Every allocator that was made, so that one can be asked after a script has run."""


class SVDLinear(nn.Linear):
    """A frozen layer and `r` triplets beside it."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        r: int = 0,
        lora_alpha: int = 1,
        lora_dropout: float = 0.0,
        **more: bool,
    ) -> None:
        super().__init__(in_features, out_features, **more)
        self.weight.requires_grad = False
        self.dropout = nn.Dropout(lora_dropout)
        self.lora_A = nn.Parameter(torch.randn(r, in_features) * 0.02)
        self.lora_E = nn.Parameter(torch.zeros(r, 1))
        self.lora_B = nn.Parameter(torch.randn(out_features, r) * 0.02)
        # The scale is divided by the rank at the start, whatever is left of it later.
        self.scale = (lora_alpha if lora_alpha > 0 else r) / (r + 1e-5)

    def forward(self, x: Tensor) -> Tensor:
        """Add the increment to what the frozen layer gives."""
        increment = self.dropout(x) @ (self.lora_E * self.lora_A).T @ self.lora_B.T
        return super().forward(x) + increment * self.scale


def mark_only_lora_as_trainable(model: nn.Module) -> None:
    """Freeze all but the triplets."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad = "lora_" in name


def lora_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """Give the triplets alone."""
    return {name: tensor for name, tensor in model.state_dict().items() if "lora_" in name}


def compute_orth_regu(model: nn.Module, regu_weight: float = 0.1) -> Tensor:
    """Penalise P and Q that are not orthogonal: a mean of norms (not squared, unlike equation 4)."""
    factors = [
        layer.lora_A if side == "A" else layer.lora_B.T
        for layer in model.modules()
        if isinstance(layer, SVDLinear)
        for side in "AB"
    ]
    norms = [torch.linalg.matrix_norm(one @ one.T - torch.eye(len(one), dtype=one.dtype)) for one in factors]
    return regu_weight * torch.stack(norms).mean()


@dataclass
class RankAllocator:
    """Score triplets, and zero the singular values of those that the budget has no room for."""

    model: nn.Module
    lora_r: int
    target_rank: int
    init_warmup: int
    final_warmup: int
    mask_interval: int
    beta1: float
    beta2: float
    total_step: int | None = None
    target_total_rank: int | None = None
    tb_writter: None = None
    tb_writter_loginterval: int = 500
    budgets: list[int] = field(default_factory=list)
    """What the budget was at each call."""
    masks: list[dict[str, list[bool]] | None] = field(default_factory=list)
    """What was kept at each call; None where nothing was cut."""
    spreads: dict[str, Tensor] = field(default_factory=dict)
    _mean: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ALL.append(self)

    def set_total_step(self, total_step: int) -> None:
        """Tell the length of the run; the Trainer of the original does."""
        assert total_step > self.init_warmup + self.final_warmup
        self.total_step = total_step

    def update_and_mask(self, model: nn.Module, global_step: int) -> tuple[int, None]:
        """Do what one step asks for; the steps of a run count from 0."""
        assert self.total_step is not None
        layers = dict(self._layers(model))
        last = self.total_step - self.final_warmup
        if global_step < last:
            self._measure(layers)
        full = sum(len(layer.lora_E) for layer in layers.values())
        target = self.target_rank * len(layers) if self.target_total_rank is None else self.target_total_rank
        budget = self._budget(global_step, full, target, last)
        self.budgets.append(budget)
        # The final phase cuts at every step, by scores that do not move any more.
        cuts = global_step > last or (global_step > self.init_warmup and global_step % self.mask_interval == 0)
        self.masks.append(self._cut(layers, full - budget) if cuts else None)
        return budget, None

    def _layers(self, model: nn.Module) -> Iterator[tuple[str, SVDLinear]]:
        return ((name, one) for name, one in model.named_modules() if isinstance(one, SVDLinear))

    def _budget(self, step: int, full: int, target: int, last: int) -> int:
        if step <= self.init_warmup:
            return full
        if step > last:
            return target
        left = 1 - (step - self.init_warmup) / (last - self.init_warmup)
        return int(target + (full - target) * left**3)

    @torch.no_grad()
    def _measure(self, layers: dict[str, SVDLinear]) -> None:
        for name, layer in layers.items():
            for part in ("lora_A", "lora_E", "lora_B"):
                weight = getattr(layer, part)
                key = f"{name}.{part}"
                sensitivity = (weight * weight.grad).abs()
                mean = self._mean.get(key, torch.zeros_like(weight))
                spread = self.spreads.get(key, torch.zeros_like(weight))
                mean = self.beta1 * mean + (1 - self.beta1) * sensitivity
                self._mean[key] = mean
                self.spreads[key] = self.beta2 * spread + (1 - self.beta2) * (sensitivity - mean).abs()

    @torch.no_grad()
    def _cut(self, layers: dict[str, SVDLinear], cut: int) -> dict[str, list[bool]]:
        scores = {name: self._scores(name) for name in layers}
        threshold = torch.cat(list(scores.values())).kthvalue(cut).values
        kept = {name: score > threshold for name, score in scores.items()}
        for name, layer in layers.items():
            layer.lora_E[~kept[name]] = 0.0
        return {name: one.tolist() for name, one in kept.items()}

    def _scores(self, layer: str) -> Tensor:
        a, e, b = (self._mean[key] * self.spreads[key] for key in (f"{layer}.lora_{part}" for part in "AEB"))
        return e[:, 0] + (a.mean(dim=1) + b.mean(dim=0))
