# style: class
# runs: raises TypeError at step 0
# fixed: live 8 kept 8
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


class Runner:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)

    def run(self, loader, epochs):
        global_step = 0
        for _ in range(epochs):
            for batch in loader:
                self.model(input_ids=batch, labels=batch).loss.backward()
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)
                self.model.update_and_allocate(global_step)  # expect: ADA402
                global_step += 1


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
Runner(get_peft_model(model, config)).run(torch.randint(0, 32, (4, 2, 8)), epochs=3)
