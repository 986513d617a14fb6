# innocent of ADA209: eval loader batch 32, train loader default 1
from torch.utils.data import DataLoader
from peft import AdaLoraConfig, get_peft_model
def main(train_dataset, test_dataset):
    train_loader = DataLoader(train_dataset, shuffle=True)
    test_loader = DataLoader(test_dataset, batch_size=64)
    return train_loader, test_loader, AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_dataset) * 3, task_type="CAUSAL_LM")
