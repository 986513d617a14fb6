# style: accumulation
# runs: live 8 kept 8; memory same as saved
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

accumulation = 2
epochs = 3
loader = [torch.randint(0, 32, (2, 8)) for _ in range(8)]
model = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
)
config = AdaLoraConfig(
    task_type="CAUSAL_LM",
    init_r=4,
    target_r=2,
    tinit=2,
    tfinal=3,
    total_step=len(loader) * epochs // accumulation,
    target_modules=["q_proj", "v_proj"],
)
model = get_peft_model(model, config)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
micro_step = 0
for epoch in range(epochs):
    for ids in loader:
        loss = model(input_ids=ids, labels=ids).loss / accumulation
        loss.backward()
        micro_step += 1
        if micro_step % accumulation == 0:
            optimizer.step()
            model.update_and_allocate(micro_step)  # expect: ADA408
            optimizer.zero_grad()
