# style: accumulation
# runs: live 8 kept 8; steps 0..11
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


def turn(k):
    if (k + 1) % 4 == 0:
        optimizer.step()


done = 0
for i, ids in enumerate(torch.randint(0, 32, (48, 2, 8))):
    (model(input_ids=ids, labels=ids).loss / 4).backward()
    turn(i)
    if (i + 1) % 4 == 0:
        model.update_and_allocate(done)
        done += 1
        optimizer.zero_grad()
