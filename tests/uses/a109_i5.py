# innocent of ADA109: rank_pattern reset via setattr / replace
import dataclasses
from peft import AdaLoraConfig, get_peft_model
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(bases, loader, opt):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    for base in bases:
        model = get_peft_model(base, dataclasses.replace(cfg))
        train(model, loader, opt(model))
