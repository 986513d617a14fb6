# style: class
# runs: live 8 kept 8; steps 0..11
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


class BudgetedLinear(torch.nn.Linear):
    """A method of one's own which happens to have the same name."""

    budget = 8

    def update_and_allocate(self, step):
        self.budget = max(2, 8 - step)


gate = BudgetedLinear(4, 4)
gate_optimizer = torch.optim.SGD(gate.parameters(), lr=1e-2)
for step in range(6):
    gate_optimizer.zero_grad()
    gate.update_and_allocate(step)
    gate(torch.randn(2, 4)).square().mean().backward()
    gate_optimizer.step()

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
for step in range(12):
    ids = torch.randint(0, 32, (2, 8))
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    model.update_and_allocate(step)
    optimizer.zero_grad()
