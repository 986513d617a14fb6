# style: scaler
# runs: live 8 kept 8; steps 0..11
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def train(model, optimizer, scaler, loader, epochs):
    step = 0
    for _ in range(epochs):
        for ids in loader:
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                loss = model(input_ids=ids, labels=ids).loss
            scaler.scale(loss).backward()
            old_scale = scaler.get_scale()
            scaler.step(optimizer)
            scaler.update()
            skipped = scaler.get_scale() < old_scale
            if not skipped:
                model.base_model.update_and_allocate(step)
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
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
train(model, optimizer, torch.amp.GradScaler("cpu", init_scale=16.0), torch.randint(0, 32, (4, 2, 8)), 3)
