# innocent of ADA425: adapter saved in warm-up (no rank_pattern) and resumed: unclear
from peft import AdaLoraConfig, PeftModel, get_peft_model
def main(base, loader, optimizer):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    model.save_pretrained("init")
    model = PeftModel.from_pretrained(base, "init", is_trainable=True)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
