"""Training and saving one adapter of a kind, with whatever PEFT is on the path: `python train_adapter.py KIND FOLDER`.

A process of its own runs this with an older release; the tests call it with the installed one.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

SCHEDULE = {"init_r": 4, "target_r": 2, "tinit": 2, "tfinal": 3, "deltaT": 2, "total_step": 12}

KINDS: dict[str, dict[str, Any]] = {
    "allocated": {},
    "never allocated": {"allocate": False},
    "stopped early": {"steps": 6},
    "emptied": {"zeros": True},
    "rank-0 modules": {"target_r": 1, "favourite": "q_proj"},
}
"""How each kind is trained: fields that differ, and what is done at each step."""

WORDS = torch.randint(12, (2, 4), generator=torch.Generator().manual_seed(0))


def base() -> LlamaForCausalLM:
    """Build the same model every time."""
    torch.manual_seed(0)
    shape = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=12, max_position_embeddings=16, **shape)).eval()


def save(kind: str, folder: str) -> None:
    """Train an adapter and save it."""
    how = dict(KINDS[kind])
    steps, allocate, zeros = how.pop("steps", 12), how.pop("allocate", True), how.pop("zeros", False)
    favourite = how.pop("favourite", None)
    fields = {**SCHEDULE, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", **how}
    model = get_peft_model(base(), AdaLoraConfig(**fields))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-1)
    for step in range(steps):
        model(input_ids=WORDS, labels=WORDS).loss.backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None and (zeros or (favourite is not None and favourite not in name)):
                parameter.grad.zero_()
        optimizer.step()
        if allocate:
            model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    model.eval().save_pretrained(folder)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for number, name in enumerate(KINDS):
        save(name, f"{sys.argv[1]}/{number}")
