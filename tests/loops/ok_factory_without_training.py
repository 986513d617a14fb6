# style: function
# runs: never allocates; live 0 kept none
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def build_adalora(total_step):
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
        total_step=total_step,
        target_modules=["q_proj", "v_proj"],
    )
    return get_peft_model(model, config)


def count(model):
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


print(count(build_adalora(12)))
