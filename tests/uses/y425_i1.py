# innocent of ADA425: guard isinstance on AdaLoRA + unmasked
from peft import AdaLoraConfig, PeftModel, get_peft_model
def fit(model, loader, optimizer, allocate):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        if allocate:
            model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(base, b2, loader, opt):
    m = PeftModel.from_pretrained(base, "old", is_trainable=True)
    fit(m, loader, opt(m), allocate=False)
    n = get_peft_model(b2, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    fit(n, loader, opt(n), allocate=True)
