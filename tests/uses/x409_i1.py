# innocent of ADA409: function wraps a new model and trains; called in a loop
from peft import AdaLoraConfig, get_peft_model
def run(base, loader, opt):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    optimizer = opt(model)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    return model
def main(bases, loader, opt):
    for base in bases:
        run(base, loader, opt)
