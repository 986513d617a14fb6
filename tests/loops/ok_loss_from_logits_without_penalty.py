# style: main
# runs: live 8 kept 8
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def main():
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
    )
    config = AdaLoraConfig(
        init_r=4,
        target_r=2,
        tinit=2,
        tfinal=3,
        deltaT=2,
        orth_reg_weight=0,
        target_modules=["q_proj", "v_proj"],
        task_type="CAUSAL_LM",
        total_step=12,
    )
    model = get_peft_model(model, config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(12):
        ids = torch.randint(0, 32, (2, 8))
        logits = model(input_ids=ids).logits
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, 32), ids[:, 1:].reshape(-1))
        loss.backward()
        optimizer.step()
        model.update_and_allocate(step)
        optimizer.zero_grad()


main()
