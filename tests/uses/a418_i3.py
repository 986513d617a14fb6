# innocent of ADA418: prints inside other model's training
from peft import AdaLoraConfig, get_peft_model
from peft import LoraConfig
def main(base, b2, loader, optimizer):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    other = get_peft_model(b2, LoraConfig(r=8))
    other.print_trainable_parameters()
