# innocent of ADA109: lambda factory
from peft import AdaLoraConfig, get_peft_model
make = lambda: AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
for base in bases:
    model = get_peft_model(base, make())
    train(model, loader, opt(model))
