# style: optimizers
# runs: raises TypeError at step 0
import itertools

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
head = torch.nn.Linear(8, 1)
second = torch.optim.SGD(head.parameters(), lr=0.1)
numbers = itertools.count()
second.register_step_post_hook(lambda *_: model.update_and_allocate(next(numbers)))  # expect: ADA402
for ids in torch.randint(0, 32, (12, 2, 8)):
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    other_loss = head(ids.float()).sum()
    other_loss.backward()
    second.step()
    second.zero_grad()
