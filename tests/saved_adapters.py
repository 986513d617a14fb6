"""AdaLoRA adapters as real PEFT trains and saves them, on small models of several kinds, and how they answer."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from adapter_runs import base as llama
from peft import AdaLoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SCHEDULE = {"init_r": 4, "target_r": 2, "tinit": 1, "tfinal": 2, "deltaT": 1, "total_step": 10}


class Convolutions(nn.Module):
    """Convolutions of several kernels, strides and paddings, and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, (3, 2), stride=2, padding=1)
        self.second = nn.Conv2d(8, 6, 1)
        self.third = nn.Conv2d(6, 6, 3, padding="same", bias=False)
        self.head = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in (self.first, self.second, self.third):
            x = torch.tanh(layer(x))
        return self.head(x.mean((2, 3)))


class Doubled(nn.Module):
    """Modules whose paths are ends of each other's, or match each other as regular expressions."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.ModuleDict({"q": nn.Linear(6, 6), "k": nn.Linear(6, 6)})
        self.outer = nn.ModuleDict({"block": nn.ModuleDict({"q": nn.Linear(6, 6), "k": nn.Linear(6, 6)})})
        self.deep = nn.ModuleDict(
            {"a": nn.ModuleDict({"q": nn.Linear(6, 6)}), "axq": nn.ModuleDict({"q": nn.Linear(6, 6)})}
        )
        self.wild = nn.ModuleDict(
            {"deep_a": nn.ModuleDict({"q": nn.Linear(6, 6)}), "k+": nn.ModuleDict({"q": nn.Linear(6, 6)})}
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in (
            self.block["q"],
            self.block["k"],
            self.outer["block"]["q"],
            self.outer["block"]["k"],
            self.deep["a"]["q"],
            self.deep["axq"]["q"],
            self.wild["deep_a"]["q"],
            self.wild["k+"]["q"],
        ):
            x = x + torch.tanh(layer(x))
        return x


def gpt2() -> GPT2LMHeadModel:
    """Build a model whose layers are Conv1D."""
    torch.manual_seed(0)
    shape = GPT2Config(
        vocab_size=12, n_positions=16, n_embd=8, n_layer=2, n_head=2, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0
    )
    return GPT2LMHeadModel(shape)


def seeded(kind: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """Give a builder that builds the same model every time."""

    def build() -> nn.Module:
        torch.manual_seed(0)
        return kind()

    return build


WORDS = {"input_ids": torch.randint(12, (3, 9), generator=torch.Generator().manual_seed(1))}
PICTURES = {"x": torch.randn(2, 3, 7, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)}
VECTORS = {"x": torch.randn(7, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)}


@dataclass(frozen=True)
class Kind:
    """A model, what it is asked, and how AdaLoRA is put on it."""

    base: Callable[[], nn.Module]
    questions: Mapping[str, torch.Tensor]
    values: Mapping[str, Any]
    dtype: torch.dtype = torch.float64
    options: tuple[str, ...] = ()
    steps: int = 10
    allocate: bool = True
    emptied: tuple[str, ...] = ()
    """Ends of the names of modules whose ranks all go in the end."""

    def model(self) -> Any:
        """Build the base model, in the type of the run."""
        return self.base().to(self.dtype)

    def said(self, model: Any) -> torch.Tensor:
        """Ask a model."""
        with torch.no_grad():
            answer = model(**self._asked())
        return getattr(answer, "logits", answer)

    def _asked(self) -> dict[str, torch.Tensor]:
        return {name: one if one.dtype == torch.long else one.to(self.dtype) for name, one in self.questions.items()}

    def save(self, folder: Path) -> None:
        """Train and save an adapter with the installed PEFT."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.trained().save_pretrained(folder)

    def loaded(self, folder: Path) -> Any:
        """Load an AdaLoRA adapter, with whatever PEFT warns of."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return PeftModel.from_pretrained(self.model(), folder).eval()

    def trained(self) -> Any:
        """Train an adapter with the installed PEFT."""
        config = AdaLoraConfig(**{**SCHEDULE, **self.values})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model: Any = get_peft_model(self.model(), config)
        # PEFT 0.21 lets ranknum be trained where the base model is not float32, but does not save it.
        trained = [p for name, p in model.named_parameters() if p.requires_grad and ".ranknum." not in name]
        optimizer = torch.optim.AdamW(trained, lr=1e-1)
        for step in range(self.steps):
            answer = model(**self._asked())
            answer = getattr(answer, "logits", answer)
            (answer - answer.roll(1, 0) - 1).square().mean().backward()
            optimizer.step()
            if self.allocate:
                model.base_model.update_and_allocate(step)
            optimizer.zero_grad()
        for name, mask in (config.rank_pattern or {}).items():
            if name.endswith(tuple(f"{one}.lora_E.default" for one in self.emptied)):
                config.rank_pattern[name] = [False] * len(mask)
        return model.eval()


GPT2 = {"target_modules": ["c_attn", "c_proj"], "task_type": "CAUSAL_LM", "fan_in_fan_out": True}
CONVOLVED = ("--kernel", "first=3x2", "--kernel", "third=3x3", "--kernel", "second=1x1")

QUICK = {
    "Conv1D",
    "Conv2d",
    "bias all",
    "lora_alpha 0",
    "modules_to_save",
    "names within names",
    "never allocated",
    "rank 0",
}
"""Kinds that every run of the tests tries; the slow part tries all."""

KINDS = {
    "Conv1D": Kind(gpt2, WORDS, GPT2),
    "never allocated": Kind(gpt2, WORDS, GPT2, allocate=False),
    "stopped early": Kind(gpt2, WORDS, GPT2, steps=5),
    "scale of its own": Kind(gpt2, WORDS, {**GPT2, "lora_alpha": 37}),
    "lora_alpha 0": Kind(gpt2, WORDS, {**GPT2, "lora_alpha": 0}),
    "lora_alpha below 0, never allocated": Kind(gpt2, WORDS, {**GPT2, "lora_alpha": -3}, allocate=False),
    "rank 0": Kind(gpt2, WORDS, GPT2, emptied=("0.attn.c_attn", "1.mlp.c_proj")),
    "rank 0 everywhere": Kind(gpt2, WORDS, GPT2, emptied=("",)),
    "bias all": Kind(gpt2, WORDS, {**GPT2, "bias": "all"}),
    "bias of the adapted": Kind(gpt2, WORDS, {**GPT2, "bias": "lora_only"}),
    "modules_to_save": Kind(gpt2, WORDS, {**GPT2, "modules_to_save": ["ln_f"]}),
    "tokens": Kind(gpt2, WORDS, {**GPT2, "trainable_token_indices": {"wte": [3, 5]}}),
    "a regular expression": Kind(gpt2, WORDS, {**GPT2, "target_modules": r".*\.(c_attn|c_fc)"}),
    "some layers": Kind(gpt2, WORDS, {**GPT2, "layers_to_transform": [1], "layers_pattern": "h"}),
    "some excluded": Kind(gpt2, WORDS, {**GPT2, "exclude_modules": ["h.1.attn.c_attn"]}),
    "replicated layers": Kind(llama, WORDS, {"target_modules": ["q_proj"], "layer_replication": [[0, 2], [1, 2]]}),
    "options that AdaLoRA ignores": Kind(
        gpt2, WORDS, {**GPT2, "use_rslora": True, "lora_bias": True, "alpha_pattern": {"c_attn": 99}, "r": 77}
    ),
    "Conv2d": Kind(
        seeded(Convolutions),
        PICTURES,
        {"target_modules": ["first", "second", "third"], "modules_to_save": ["head"]},
        options=CONVOLVED,
    ),
    "names within names": Kind(
        seeded(Doubled), VECTORS, {"target_modules": ["q", "k"]}, emptied=("outer.block.k", "wild.k+.q")
    ),
}
