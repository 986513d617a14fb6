# innocent of ADA426: changed after training before saving to disk record
from peft import AdaLoraConfig, get_peft_model
def main(base, loader, optimizer):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    model = get_peft_model(base, cfg)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    cfg.target_r = 8
    model.save_pretrained("o")
