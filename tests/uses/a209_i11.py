# innocent of ADA209: tokenization batch_size=1000, DataLoader default batch size 1 by loop of indices
from datasets import load_dataset
from peft import AdaLoraConfig, get_peft_model
def main(model, optimizer, tok):
    train_ds = load_dataset("imdb", split="train").map(tok, batched=True, batch_size=1000)
    cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_ds), task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    for i in range(len(train_ds)):
        model(**train_ds[i]).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(i)
        optimizer.zero_grad()
