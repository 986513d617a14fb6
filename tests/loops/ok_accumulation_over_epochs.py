# style: accumulation
# runs: live 8 kept 8; steps 1..12
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def main(epochs=3, grad_accum=2):
    loader = [torch.randint(0, 32, (2, 8)) for _ in range(8)]
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
        total_step=len(loader) * epochs // grad_accum,
        target_modules=["q_proj", "v_proj"],
    )
    model = get_peft_model(model, config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    updates = 0
    for epoch in range(epochs):
        for step, ids in enumerate(loader):
            loss = model(input_ids=ids, labels=ids).loss / grad_accum
            loss.backward()
            if (step + 1) % grad_accum == 0 or step + 1 == len(loader):
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                updates += 1
                model.base_model.update_and_allocate(updates)
                optimizer.zero_grad()


main()
