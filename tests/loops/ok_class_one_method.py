# style: class
# runs: live 8 kept 8; memory same as saved
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


class Runner:
    def __init__(self, model, total):
        self.model, self.total = model, total
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)

    def run(self):
        self.model.train()
        for step in range(self.total):
            self.optimizer.zero_grad()
            ids = torch.randint(0, 32, (2, 8))
            loss = self.model(input_ids=ids, labels=ids).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.model.base_model.update_and_allocate(step)


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
Runner(get_peft_model(model, config), 12).run()
