# style: guards
# runs: live 8 kept 8; steps 0..11
import contextlib

import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def train(model, loader, epochs):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    total = 0
    for _ in range(epochs):
        for ids in loader:
            loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
            optimizer.step()
            with contextlib.suppress(AttributeError):
                model.base_model.update_and_allocate(total)  # expect: ADA411
            optimizer.zero_grad()
            total += 1


model = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
)
config = AdaLoraConfig(
    task_type="CAUSAL_LM",
    init_r=4,
    target_r=2,
    tinit=2,
    tfinal=3,
    deltaT=2,
    total_step=12,
    target_modules=["q_proj", "v_proj"],
)
train(get_peft_model(model, config), torch.randint(0, 32, (4, 2, 8)), 3)
