# guilty of ADA209: num_samples variable, BATCH_SIZE constant
from torch.utils.data import DataLoader
from peft import AdaLoraConfig, get_peft_model
BATCH_SIZE = 32
def main(train_ds, epochs=3):
    n = len(train_ds)
    total = n * epochs
    loader = DataLoader(train_ds, batch_size=BATCH_SIZE)
    return loader, AdaLoraConfig(init_r=12, target_r=8, total_step=total, task_type="CAUSAL_LM")
