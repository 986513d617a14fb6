# innocent of ADA419: converted to LoRA first
from peft import AdaLoraConfig, LoraConfig, get_peft_model
def main(base, b2, loader, optimizer):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    model = get_peft_model(b2, LoraConfig(r=12))
    model.add_weighted_adapter(["default"], [1.0], "m")
