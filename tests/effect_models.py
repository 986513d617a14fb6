"""Tiny random models of the architectures that the examples of the rule pages speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from config_oracle import WIDTH, WORDS
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADS = 2
SMALL: Mapping[str, Any] = {
    "vocab_size": WORDS,
    "hidden_size": WIDTH,
    "intermediate_size": WIDTH,
    "num_hidden_layers": 1,
    "num_attention_heads": HEADS,
    "max_position_embeddings": 16,
}


def build(values: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Build the model that a configuration is meant for, the same every time, and name what else would be adapted."""
    torch.manual_seed(0)
    spoken_of = repr([values.get(name) for name in ("target_modules", "target_parameters")])
    if str(values.get("task_type")).upper().startswith("SEQ"):
        sizes: dict[str, Any] = {
            "d_model": WIDTH,
            "d_kv": WIDTH // HEADS,
            "d_ff": WIDTH,
            "num_layers": 1,
            "num_heads": HEADS,
            "decoder_start_token_id": 0,
        }
        return T5ForConditionalGeneration(T5Config(vocab_size=WORDS, **sizes)), ["q", "v"]
    if "c_attn" in spoken_of:
        sizes = {"n_embd": WIDTH, "n_layer": 1, "n_head": HEADS, "n_positions": 16}
        return GPT2LMHeadModel(GPT2Config(vocab_size=WORDS, bos_token_id=0, eos_token_id=0, **sizes)), ["c_attn"]
    if "experts" in spoken_of:
        experts: dict[str, Any] = {
            "num_experts": 2,
            "num_experts_per_tok": 1,
            "moe_intermediate_size": WIDTH,
            "num_key_value_heads": HEADS,
            "head_dim": WIDTH // HEADS,
        }
        return Qwen3MoeForCausalLM(Qwen3MoeConfig(**SMALL, **experts)), ["q_proj", "v_proj"]
    return LlamaForCausalLM(LlamaConfig(**SMALL)), ["q_proj", "v_proj"]
