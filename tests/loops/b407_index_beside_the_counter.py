# style: epochs
# runs: live 16 kept 8; steps 1 6 11; memory differs from saved
# fixed: live 8 kept 8; steps 1..12
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

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
global_step = 0
for i, ids in enumerate(torch.randint(0, 32, (12, 2, 8))):
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    global_step += 1
    if i % 5 == 0:
        model.update_and_allocate(global_step)  # expect: ADA407
    optimizer.zero_grad()
