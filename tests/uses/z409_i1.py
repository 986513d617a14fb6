# innocent of ADA409: k-fold, helper builds model, train() counts from 0 per fold
from peft import AdaLoraConfig, get_peft_model
def build(base):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    model = get_peft_model(base, cfg)
    return model
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(bases, loader, opt):
    for fold, base in enumerate(bases):
        model = build(base)
        train(model, loader, opt(model))
        model.save_pretrained(f"f{fold}")
