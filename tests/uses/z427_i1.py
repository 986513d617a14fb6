# innocent of ADA427: eval-only early return, autocast variant
import torch
from transformers import AutoModelForCausalLM
from peft import AdaLoraConfig, get_peft_model
def main(loader, optimizer, evaluate):
    base = AutoModelForCausalLM.from_pretrained("x", torch_dtype=torch.float16)
    if evaluate:
        return get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), autocast_adapter_dtype=False)
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
