# innocent of ADA109: build_model function makes both, called per fold
from peft import AdaLoraConfig, get_peft_model
def build(base):
    return get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(bases, loader, opt):
    for base in bases:
        m = build(base)
        train(m, loader, opt(m))
