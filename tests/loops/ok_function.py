# style: function
# runs: live 8 kept 8
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def build(total):
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
        total_step=total,
        target_modules=["q_proj", "v_proj"],
    )
    return get_peft_model(model, config)


def train(model, loader, optimizer, epochs):
    step = 0
    for _ in range(epochs):
        for ids in loader:
            loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
            optimizer.step()
            model.update_and_allocate(step)
            optimizer.zero_grad()
            step += 1
    return model


loader = torch.randint(0, 32, (6, 2, 8))
model = build(total=2 * len(loader))
train(model, loader, torch.optim.AdamW(model.parameters(), lr=1e-2), epochs=2)
