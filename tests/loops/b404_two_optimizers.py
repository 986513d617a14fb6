# style: optimizers
# runs: live 16 kept 8; memory differs from saved
# fixed: live 8 kept 8; memory same as saved
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
norms = [p for n, p in model.named_parameters() if "norm" in n]
for p in norms:
    p.requires_grad_(True)
adapter = [p for n, p in model.named_parameters() if "lora_" in n and p.requires_grad]
first = torch.optim.AdamW(adapter, lr=1e-2)
second = torch.optim.SGD(norms, lr=1e-3)
for step in range(12):
    ids = torch.randint(0, 32, (2, 8))
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    model.update_and_allocate(step)  # expect: ADA404
    first.step()
    second.step()
    first.zero_grad()
    second.zero_grad()
