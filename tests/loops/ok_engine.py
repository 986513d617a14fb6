# style: wrapped
# runs: live 8 kept 8; steps 0..11
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


class Engine:
    """What several training libraries hand out: the model with its optimizer."""

    def __init__(self, model):
        self.module = model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)

    def __call__(self, **batch):
        return self.module(**batch)

    def backward(self, loss):
        loss.backward()

    def step(self):
        self.optimizer.step()


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
engine = Engine(get_peft_model(model, config))
for step in range(12):
    ids = torch.randint(0, 32, (2, 8))
    engine.backward(engine(input_ids=ids, labels=ids).loss)
    engine.step()
    engine.module.update_and_allocate(step)
    engine.optimizer.zero_grad()
