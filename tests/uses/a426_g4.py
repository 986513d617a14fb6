# guilty of ADA426: callback changing target on the fly
from peft import AdaLoraConfig, get_peft_model
def main(base, loader, optimizer):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    model = get_peft_model(base, cfg)
    for step, batch in enumerate(loader):
        if step == 100:
            cfg.target_r = 2
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
