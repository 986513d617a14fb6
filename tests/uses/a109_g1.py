# guilty of ADA109: class attribute config, seeds
from peft import AdaLoraConfig, get_peft_model
def fit(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(bases, loader, opt):
    config = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    for seed, base in enumerate(bases):
        m = get_peft_model(base, peft_config=config)
        fit(m, loader, opt(m))
