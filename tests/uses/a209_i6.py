# innocent of ADA209: loader named dataset (tf style): 'train_dataset' is a DataLoader made elsewhere
from mylib import get_batches
from peft import AdaLoraConfig, get_peft_model
def main(model, optimizer, batch_size=8):
    train_dataset = get_batches("x", batch_size=8)
    cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_dataset), task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    for step, batch in enumerate(train_dataset):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
