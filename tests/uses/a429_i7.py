# innocent of ADA429: requires_grad switched on by hand
from peft import AdaLoraConfig, get_peft_model
def main(base, loader, optimizer):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True))
    for n, p in model.named_parameters():
        p.requires_grad = "lora_" in n
    for b in loader:
        model(**b).logits.mean().backward()
        optimizer.step()
        optimizer.zero_grad()
