# innocent of ADA109: new config from a factory in each fold
from peft import AdaLoraConfig, get_peft_model
def make_config():
    return AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def folds(bases, loader, opt):
    for k, base in enumerate(bases):
        cfg = make_config()
        model = get_peft_model(base, cfg)
        train(model, loader, opt(model))
        model.save_pretrained(f"fold{k}")
