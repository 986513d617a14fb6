# style: epochs
# runs: never allocates; live 16 kept none
# fixed: live 8 kept 8
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def main():
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
    model.print_trainable_parameters()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, total_iters=12)
    loader = [torch.randint(0, 32, (2, 8)) for _ in range(4)]
    global_step = 0
    for epoch in range(3):
        running = 0.0
        for batch in loader:
            loss = model(input_ids=batch, labels=batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()  # expect: ADA401
            scheduler.step()
            optimizer.zero_grad()
            global_step += 1
            running += loss.item()
        print(f"epoch {epoch}: {running / len(loader):.3f}")


if __name__ == "__main__":
    main()
