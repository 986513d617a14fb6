# style: class
# runs: live 16 kept 8; memory differs from saved
# fixed: live 8 kept 8; memory same as saved
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


class Session:
    def __init__(self, model, steps):
        self.model, self.steps, self.done = model, steps, 0
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)

    def train(self):
        while self.done < self.steps:
            ids = torch.randint(0, 32, (2, 8))
            loss = self.model(input_ids=ids, labels=ids).loss
            loss.backward()
            self.model.base_model.update_and_allocate(self.done)  # expect: ADA404
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.done += 1


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
Session(get_peft_model(model, config), steps=12).train()
