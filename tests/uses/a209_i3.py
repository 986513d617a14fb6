# innocent of ADA209: divided by batch size before
from torch.utils.data import DataLoader
from peft import AdaLoraConfig, get_peft_model
def main(train_dataset):
    bs = 16
    loader = DataLoader(train_dataset, batch_size=bs)
    n = len(train_dataset) // bs
    return loader, AdaLoraConfig(init_r=12, target_r=8, total_step=n * 3, task_type="CAUSAL_LM")
