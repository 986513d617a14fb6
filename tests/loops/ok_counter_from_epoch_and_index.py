# style: epochs
# runs: live 8 kept 8; steps 0..11
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

EPOCHS = 3
loader = [torch.randint(0, 32, (2, 8)) for _ in range(4)]
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
    total_step=EPOCHS * len(loader),
    target_modules=["q_proj", "v_proj"],
)
model = get_peft_model(model, config)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for epoch in range(EPOCHS):
    for i, ids in enumerate(loader):
        optimizer.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        global_step = epoch * len(loader) + i
        model.base_model.update_and_allocate(global_step)
