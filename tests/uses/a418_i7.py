# innocent of ADA418: print in second function called before the train
from peft import AdaLoraConfig, get_peft_model
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def report(model):
    model.print_trainable_parameters()
def main(base, loader, optimizer):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    report(model)
    train(model, loader, optimizer)
