# guilty of ADA209: plain
from torch.utils.data import DataLoader, TensorDataset
from peft import AdaLoraConfig, get_peft_model
def main(x, y, epochs):
    data = TensorDataset(x, y)
    loader = DataLoader(data, 16, shuffle=True)
    return loader, AdaLoraConfig(init_r=12, target_r=8, total_step=len(data) * epochs, task_type="CAUSAL_LM")
