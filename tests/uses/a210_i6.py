# innocent of ADA210: inner loop over micro-batches, loader gives full batches
from peft import AdaLoraConfig, get_peft_model
def main(model, train_loader, optimizer):
    accumulation_steps = 4
    cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_loader), task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    for step, batch in enumerate(train_loader):
        for micro in batch.chunk(accumulation_steps):
            (model(**micro).loss / accumulation_steps).backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
