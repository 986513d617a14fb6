# innocent of ADA109: function returns inside loop (first available)
from peft import AdaLoraConfig, get_peft_model
def main(names, make, loader, opt):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    for name in names:
        model = get_peft_model(make(name), cfg)
        optimizer = opt(model)
        for step, batch in enumerate(loader):
            model(**batch).loss.backward()
            optimizer.step()
            model.base_model.update_and_allocate(step)
            optimizer.zero_grad()
        return model
