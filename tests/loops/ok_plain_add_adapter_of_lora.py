# style: adapters
# runs: live 8 kept 8
import torch
from peft import AdaLoraConfig, LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

tiny = LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
plain = LlamaForCausalLM(tiny)
plain.add_adapter(LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
plain_optimizer = torch.optim.AdamW(plain.parameters(), lr=1e-2)
for step in range(3):
    ids = torch.randint(0, 32, (2, 8))
    plain(input_ids=ids, labels=ids).loss.backward()
    plain_optimizer.step()
    plain_optimizer.zero_grad()

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
adaptive = get_peft_model(LlamaForCausalLM(tiny), config)
optimizer = torch.optim.AdamW(adaptive.parameters(), lr=1e-2)
for step in range(12):
    ids = torch.randint(0, 32, (2, 8))
    adaptive(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    adaptive.update_and_allocate(step)
    optimizer.zero_grad()
