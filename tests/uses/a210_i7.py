# innocent of ADA210: inner loop, class counter
class T:
    pass
from peft import AdaLoraConfig, get_peft_model
def main(model, train_loader, optimizer, split):
    accumulation_steps = 4
    cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_loader) * 2, task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    global_step = 0
    for epoch in range(2):
        for batch in train_loader:
            for micro in split(batch, accumulation_steps):
                (model(**micro).loss / accumulation_steps).backward()
            optimizer.step()
            model.base_model.update_and_allocate(global_step)
            optimizer.zero_grad()
            global_step += 1
