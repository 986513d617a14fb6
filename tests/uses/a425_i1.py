# innocent of ADA425: loaded one is teacher, other trained
from peft import AdaLoraConfig, PeftModel, get_peft_model
def main(base, tb, loader, optimizer):
    teacher = PeftModel.from_pretrained(tb, "old", is_trainable=True)
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
