# guilty of ADA428: Auto
from peft import AdaLoraConfig, AutoPeftModelForCausalLM, get_peft_model
def main(base, loader, optimizer, x):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    model.save_pretrained("o")
    m = AutoPeftModelForCausalLM.from_pretrained("o")
    return m(x, labels=x).loss
