# innocent of ADA418: print before and after reload (reloaded tensors are cut)
from peft import AdaLoraConfig, PeftModel, get_peft_model
def main(base, fresh, loader, optimizer):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    model.print_trainable_parameters()
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    model.save_pretrained("o")
    model = PeftModel.from_pretrained(fresh, "o", is_trainable=True)
    model.print_trainable_parameters()
