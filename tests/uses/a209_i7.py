# innocent of ADA209: batched IterableDataset yields batches; DataLoader batch_size=None
from torch.utils.data import DataLoader, Dataset
from peft import AdaLoraConfig, get_peft_model
class Batches(Dataset):
    def __init__(self, data, batch_size):
        self.data = data
    def __len__(self):
        return len(self.data) // 8
def main(data):
    train_dataset = Batches(data, batch_size=8)
    loader = DataLoader(train_dataset, batch_size=None)
    return loader, AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_dataset), task_type="CAUSAL_LM")
