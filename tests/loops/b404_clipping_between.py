# style: function
# runs: live 16 kept 8; memory differs from saved
# fixed: live 8 kept 8; memory same as saved
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def train(model, loader, optimizer, epochs):
    step = 0
    for _ in range(epochs):
        for ids in loader:
            optimizer.zero_grad()
            loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
            model.base_model.update_and_allocate(step)  # expect: ADA404
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1


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
model = get_peft_model(model, config)
train(model, torch.randint(0, 32, (4, 2, 8)), torch.optim.AdamW(model.parameters(), lr=1e-2), 3)
