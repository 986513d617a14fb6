# style: optimizers
# runs: raises TypeError at step 0
# fixed: live 8 kept 8; steps 0..11
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

generator = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
)
discriminator = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
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
generator = get_peft_model(generator, config)
opt_g = torch.optim.AdamW(generator.parameters(), lr=1e-2)
opt_d = torch.optim.AdamW(discriminator.parameters(), lr=1e-3)
for step in range(12):
    ids = torch.randint(0, 32, (2, 8))
    generator(input_ids=ids, labels=ids).loss.backward()
    opt_g.step()
    opt_g.zero_grad()
    discriminator(input_ids=ids, labels=ids).loss.backward()
    opt_d.step()
    generator.update_and_allocate(step)  # expect: ADA402
    opt_d.zero_grad()
