# style: accumulation
# runs: live 16 kept 12; steps 0..11; memory differs from saved
import torch
from peft import AdaLoraConfig, get_peft_model
from torch.utils.data import DataLoader
from transformers import LlamaConfig, LlamaForCausalLM

epochs = 3
loader = DataLoader(torch.randint(0, 32, (32, 8)), batch_size=2)
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
    total_step=len(loader) * epochs,  # expect: ADA210
    target_modules=["q_proj", "v_proj"],
)
model = get_peft_model(model, config)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
done = 0
for epoch in range(epochs):
    for i, ids in enumerate(loader):
        loss = model(input_ids=ids, labels=ids).loss / 4
        loss.backward()
        if (i + 1) % 4 == 0:
            optimizer.step()
            model.update_and_allocate(done)
            optimizer.zero_grad()
            done += 1
