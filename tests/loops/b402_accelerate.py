# style: accelerate
# runs: raises TypeError at step 0
# fixed: live 8 kept 8
import torch
from accelerate import Accelerator
from peft import AdaLoraConfig, get_peft_model
from torch.utils.data import DataLoader
from transformers import LlamaConfig, LlamaForCausalLM


def main():
    accelerator = Accelerator(cpu=True)
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
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    loader = DataLoader(torch.randint(0, 32, (8, 8)), batch_size=2)
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
    global_step = 0
    for epoch in range(3):
        for batch in loader:
            loss = model(input_ids=batch, labels=batch).loss
            accelerator.backward(loss)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            accelerator.unwrap_model(model).update_and_allocate(global_step)  # expect: ADA402
            global_step += 1


if __name__ == "__main__":
    main()
