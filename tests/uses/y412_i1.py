# innocent of ADA412: isinstance with negation
from torch.nn import DataParallel
from peft import AdaLoraConfig, get_peft_model
def main(model, loader, optimizer, n):
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    if n > 1:
        model = DataParallel(model)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        if n > 1:
            model.module.base_model.update_and_allocate(step)
        else:
            model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
