# innocent of ADA109: deepcopy in the loop
import copy
from peft import AdaLoraConfig, get_peft_model
TEMPLATE = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def folds(bases, loader, opt):
    for k, base in enumerate(bases):
        model = get_peft_model(base, copy.deepcopy(TEMPLATE))
        train(model, loader, opt(model))
