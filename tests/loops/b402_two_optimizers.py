# style: optimizers
# runs: raises TypeError at step 0
# fixed: live 8 kept 8
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
vectors = [p for n, p in model.named_parameters() if "lora_A" in n or "lora_B" in n]
values = [p for n, p in model.named_parameters() if "lora_E" in n]
optimizer_a = torch.optim.AdamW(vectors, lr=1e-2)
optimizer_b = torch.optim.AdamW(values, lr=5e-2)
for step in range(12):
    ids = torch.randint(0, 32, (2, 8))
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer_a.step()
    optimizer_b.step()
    optimizer_a.zero_grad()
    optimizer_b.zero_grad()
    model.update_and_allocate(step)  # expect: ADA402
