# style: function
# runs: live 16 kept 10; steps 0..5 0..5
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def train(model, optimizer, loader, epochs):
    for epoch in range(epochs):
        step = 0
        for ids in loader:
            loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
            optimizer.step()
            model.update_and_allocate(step)  # expect: ADA409
            optimizer.zero_grad()
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
train(model, torch.optim.AdamW(model.parameters(), lr=1e-2), torch.randint(0, 32, (6, 2, 8)), epochs=2)
