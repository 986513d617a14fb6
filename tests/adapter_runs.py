"""Training a tiny model in PEFT, saving its adapter and loading it again, to compare memory with the file."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from peft import AdaLoraConfig, PeftModel, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WORDS = torch.randint(12, (2, 4), generator=torch.Generator().manual_seed(0))
MODULES = [f"model.layers.{layer}.self_attn.{name}" for layer in (0, 1) for name in ("q_proj", "v_proj")]


@dataclass(frozen=True, slots=True)
class Run:
    """A trained model, its losses, and the ranks that its `rank_pattern` kept after each step (None: no pattern)."""

    model: Any
    losses: tuple[float, ...]
    kept: tuple[int | None, ...]

    @property
    def live(self) -> int:
        """Count the ranks that are not masked in memory."""
        return sum(int((p != 0).sum()) for name, p in self.model.named_parameters() if "lora_E" in name)


def base() -> LlamaForCausalLM:
    """Build the same model every time."""
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=12,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=16,
    )
    return LlamaForCausalLM(shape)


def train(values: Mapping[str, Any], *, steps: int = 12, allocate: bool = True) -> Run:
    """Train as PEFT documents it; without `allocate`, never call the allocator."""
    config = AdaLoraConfig(**{"target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", **values})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model: Any = get_peft_model(base(), config)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-1)
    losses: list[float] = []
    kept: list[int | None] = []
    for step in range(steps):
        loss = model(input_ids=WORDS, labels=WORDS).loss
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        if allocate:
            model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
        kept.append(_ranks(config.rank_pattern))
    return Run(model.eval(), tuple(losses), tuple(kept))


def _ranks(pattern: Mapping[str, Any] | None) -> int | None:
    return None if not pattern else sum(sum(mask) if isinstance(mask, list) else mask for mask in pattern.values())


def logits(model: Any) -> torch.Tensor:
    """Compute what a model says, without its training losses."""
    with torch.no_grad():
        said: torch.Tensor = model(input_ids=WORDS).logits
        return said


def reload(run: Run, folder: Path) -> Any:
    """Save the adapter and load it on a fresh base model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run.model.save_pretrained(folder)
        return PeftModel.from_pretrained(base(), folder).eval()
