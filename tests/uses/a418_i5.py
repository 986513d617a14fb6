# innocent of ADA418: ranknum as scaling in a printed comparison (delta weight)
from peft import AdaLoraConfig, get_peft_model
def main(base, loader, optimizer):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    for n, m in model.named_modules():
        if hasattr(m, "lora_E"):
            d = m.scaling["default"] / (m.ranknum["default"] + 1e-5)
            print(n, d, int((m.lora_E["default"] != 0).sum()))
