# style: class
# runs: live 16 kept 10; steps 0..5 0..5
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


class Experiment:
    def __init__(self, epochs):
        self.epochs = epochs
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
        self.model = get_peft_model(model, config)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-2)

    def run(self, batches):
        for epoch in range(self.epochs):
            for i, ids in enumerate(batches):
                self.optimizer.zero_grad()
                self.model(input_ids=ids, labels=ids).loss.backward()
                self.optimizer.step()
                self.model.update_and_allocate(i)  # expect: ADA409
            print("epoch", epoch)


Experiment(epochs=2).run(torch.randint(0, 32, (6, 2, 8)))
