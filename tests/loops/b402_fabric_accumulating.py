# style: accumulation
# runs: raises TypeError at step 0
# fixed: live 8 kept 8
import torch
from lightning.fabric import Fabric
from peft import AdaLoraConfig, get_peft_model
from torch.utils.data import DataLoader
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
fabric = Fabric(accelerator="cpu", devices=1)
fabric.launch()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
wrapped, optimizer = fabric.setup(model, optimizer)
loader = fabric.setup_dataloaders(DataLoader(torch.randint(0, 32, (48, 8)), batch_size=2))
done = 0
for i, ids in enumerate(loader):
    accumulating = (i + 1) % 2 != 0
    with fabric.no_backward_sync(wrapped, enabled=accumulating):
        loss = wrapped(input_ids=ids, labels=ids).loss
        fabric.backward(loss / 2)
    if not accumulating:
        optimizer.step()
        optimizer.zero_grad()
        model.update_and_allocate(done)  # expect: ADA402
        done += 1
