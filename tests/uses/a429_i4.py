# innocent of ADA429: teacher frozen, student trained
from peft import AdaLoraConfig, get_peft_model
def main(tb, sb, loader, optimizer):
    teacher = get_peft_model(tb, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True))
    student = get_peft_model(sb, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, b in enumerate(loader):
        loss = (student(**b).logits - teacher(**b).logits).pow(2).mean()
        loss.backward()
        optimizer.step()
        student.base_model.update_and_allocate(step)
        optimizer.zero_grad()
