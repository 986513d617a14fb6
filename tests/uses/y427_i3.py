# innocent of ADA427: model rebound to fresh wrap after half eval of old one
from peft import AdaLoraConfig, get_peft_model
def main(a, b, loader, optimizer):
    model = get_peft_model(a, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    model.half().eval()
    model = get_peft_model(b, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
