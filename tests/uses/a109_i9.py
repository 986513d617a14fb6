# innocent of ADA109: config re-bound in each round inside branch, name same
from peft import AdaLoraConfig, get_peft_model
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(bases, loader, opt):
    cfg = None
    for base in bases:
        if cfg is None or True:
            cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
        model = get_peft_model(base, cfg)
        train(model, loader, opt(model))
