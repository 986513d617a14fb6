# innocent of ADA109: one wrap in either branch
from peft import AdaLoraConfig, get_peft_model
def main(a, b, which, loader, opt):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    if which:
        model = get_peft_model(a, cfg)
    else:
        model = get_peft_model(b, cfg)
    optimizer = opt(model)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
