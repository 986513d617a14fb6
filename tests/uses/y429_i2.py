# innocent of ADA429: raises in the else branch; train flag separates configs
from peft import AdaLoraConfig, get_peft_model
def main(base, loader, optimizer, train):
    if train:
        cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    else:
        cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True)
    model = get_peft_model(base, cfg)
    if not train:
        return model
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
