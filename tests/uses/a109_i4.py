# innocent of ADA109: loop breaks after first success (retry loop)
from peft import AdaLoraConfig, get_peft_model
def main(make, loader, opt):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    for name in ("gpt2-xl", "gpt2"):
        try:
            base = make(name)
        except OSError:
            continue
        model = get_peft_model(base, cfg)
        optimizer = opt(model)
        for step, batch in enumerate(loader):
            model(**batch).loss.backward()
            optimizer.step()
            model.base_model.update_and_allocate(step)
            optimizer.zero_grad()
        break
    return model
