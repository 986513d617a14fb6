# innocent of ADA412: unwrap by hasattr
from torch.nn import DataParallel
from peft import AdaLoraConfig, get_peft_model
def unwrap(m):
    return m.module if hasattr(m, "module") else m
def main(model, loader, optimizer):
    model = DataParallel(get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        unwrap(model).base_model.update_and_allocate(step)
        optimizer.zero_grad()
