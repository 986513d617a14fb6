# style: class
# runs: live 8 kept 8
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


class Finetuner:
    def __init__(self, model, lr=1e-2):
        self.model = model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
        self.global_step = 0

    def training_step(self, batch):
        loss = self.model(input_ids=batch, labels=batch).loss
        loss.backward()
        return loss

    def optimizer_step(self):
        self.optimizer.step()
        self.model.update_and_allocate(self.global_step)
        self.optimizer.zero_grad()
        self.global_step += 1

    def fit(self, batches):
        for batch in batches:
            self.training_step(batch)
            self.optimizer_step()


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
Finetuner(get_peft_model(model, config)).fit(torch.randint(0, 32, (12, 2, 8)))
