# style: class
# runs: never allocates; live 16 kept none
# fixed: live 8 kept 8
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


class Finetuner:
    def __init__(self, model, lr=1e-2):
        self.model = model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
        self.global_step = 0

    def step(self, batch):
        self.optimizer.zero_grad()
        loss = self.model(input_ids=batch, labels=batch).loss
        loss.backward()
        self.optimizer.step()  # expect: ADA401
        self.global_step += 1
        return loss.item()

    def fit(self, batches):
        self.model.train()
        for batch in batches:
            self.step(batch)


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
