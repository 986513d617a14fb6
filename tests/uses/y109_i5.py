# innocent of ADA109: list of configs, one each
from peft import AdaLoraConfig, get_peft_model
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(bases, loader, opt):
    configs = [AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM") for _ in bases]
    for base, cfg in zip(bases, configs):
        m = get_peft_model(base, cfg)
        train(m, loader, opt(m))
