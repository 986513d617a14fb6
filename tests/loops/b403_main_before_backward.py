# style: main
# runs: raises TypeError at step 0
# fixed: live 8 kept 8
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def main(total=12):
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
    for global_step in range(total):
        ids = torch.randint(0, 32, (2, 8))
        outputs = model(input_ids=ids, labels=ids)
        model.base_model.update_and_allocate(global_step)  # expect: ADA403
        outputs.loss.backward()
        optimizer.step()


main()
