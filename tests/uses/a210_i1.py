# innocent of ADA210: manual loop called per batch with counter of batches... 408 only
from peft import AdaLoraConfig, get_peft_model
def main(model, train_loader, optimizer):
    gradient_accumulation_steps = 4
    cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_loader), task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    for step, batch in enumerate(train_loader):
        (model(**batch).loss / gradient_accumulation_steps).backward()
        if (step + 1) % gradient_accumulation_steps == 0:
            optimizer.step()
            model.base_model.update_and_allocate(step)
            optimizer.zero_grad()
