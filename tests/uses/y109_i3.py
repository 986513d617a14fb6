# innocent of ADA109: factory with cached-free builder and args
from peft import AdaLoraConfig, get_peft_model
def build_config(r=8):
    cfg = AdaLoraConfig(init_r=12, target_r=r, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    return cfg
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(bases, loader, opt):
    for r, base in zip((2, 4), bases):
        cfg = build_config(r)
        model = get_peft_model(base, cfg)
        train(model, loader, opt(model))
