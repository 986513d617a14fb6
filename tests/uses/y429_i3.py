# innocent of ADA429: same function trains other models only
from peft import AdaLoraConfig, get_peft_model
def fit(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(a, b, loader, opt):
    ref = get_peft_model(a, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True))
    pol = get_peft_model(b, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    fit(pol, loader, opt(pol))
    return ref
