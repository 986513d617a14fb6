# innocent of ADA428: return_dict=False (tuple has no loss)
from peft import AdaLoraConfig, PeftModel, get_peft_model
def main(base, fresh, loader, optimizer, x):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    model.save_pretrained("o")
    m = PeftModel.from_pretrained(fresh, "o")
    return m(input_ids=x, labels=x, return_dict=False)[0]
