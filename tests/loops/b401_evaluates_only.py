# style: evaluation
# runs: never allocates; live 16 kept none
# fixed: live 8 kept 8
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


@torch.no_grad()
def evaluate(model, batches):
    model.eval()
    losses = [model(input_ids=batch, labels=batch).loss.item() for batch in batches]
    model.train()
    return sum(losses) / len(losses)


def train(model, optimizer, batches, held_out):
    step = 0
    for batch in batches:
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()  # expect: ADA401
        optimizer.zero_grad()
        step += 1
        if step % 4 == 0:
            print(step, evaluate(model, held_out))


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
train(model, torch.optim.AdamW(model.parameters(), lr=1e-2), torch.randint(0, 32, (12, 2, 8)), torch.randint(0, 32, (2, 2, 8)))
