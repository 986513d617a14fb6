# innocent of ADA426: only metadata: model.peft_config changed after training then save_pretrained so that servers read it
from peft import AdaLoraConfig, get_peft_model
def main(base, loader, optimizer):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    model.peft_config["default"].init_r = 8
    model.save_pretrained("o")
