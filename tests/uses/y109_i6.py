# innocent of ADA109: factory, called twice in a row
from peft import AdaLoraConfig, get_peft_model
def cfg():
    return AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(a, b, loader, opt):
    t = get_peft_model(a, cfg())
    train(t, loader, opt(t))
    s = get_peft_model(b, cfg())
    train(s, loader, opt(s))
