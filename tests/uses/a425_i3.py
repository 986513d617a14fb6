# innocent of ADA425: merged first
from peft import AdaLoraConfig, PeftModel, get_peft_model
def main(base, loader, optimizer):
    model = PeftModel.from_pretrained(base, "old", is_trainable=True)
    model = model.merge_and_unload()
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
