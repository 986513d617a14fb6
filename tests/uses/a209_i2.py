# innocent of ADA209: only eval batch > 1, training per sample by index
from peft import AdaLoraConfig, get_peft_model
from torch.utils.data import DataLoader
def main(train_dataset, val_dataset, model, optimizer):
    val = DataLoader(val_dataset, batch_size=32)
    cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_dataset), task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    for i in range(len(train_dataset)):
        model(**train_dataset[i]).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(i)
        optimizer.zero_grad()
