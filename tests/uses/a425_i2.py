# innocent of ADA425: allocation guarded by fresh flag
from peft import AdaLoraConfig, PeftModel, get_peft_model
def main(base, loader, optimizer, resume):
    if resume:
        model = PeftModel.from_pretrained(base, "old", is_trainable=True)
    else:
        model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        if not resume:
            model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
