# guilty of ADA210: manual
from peft import AdaLoraConfig, get_peft_model
GRADIENT_ACCUMULATION_STEPS = 8
def main(model, train_dataloader, optimizer, epochs):
    cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_dataloader) * epochs, task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    updates = 0
    for _ in range(epochs):
        for i, batch in enumerate(train_dataloader):
            (model(**batch).loss / GRADIENT_ACCUMULATION_STEPS).backward()
            if (i + 1) % GRADIENT_ACCUMULATION_STEPS == 0:
                optimizer.step()
                model.base_model.update_and_allocate(updates)
                optimizer.zero_grad()
                updates += 1
