# style: function
# runs: live 0 kept 0; steps 0..11
# fixed: live 8 kept 8
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def train(model, optimizer, steps):
    for i in range(steps):
        ids = torch.randint(0, 32, (2, 8))
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        model.base_model.update_and_allocate(i)  # expect: ADA402


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
train(model, torch.optim.AdamW(model.parameters(), lr=1e-2), steps=12)
