# guilty of ADA209: the data set is what a loader takes
from torch.utils.data import DataLoader
from peft import AdaLoraConfig, get_peft_model
def build(model, rows, epochs):
    loader = DataLoader(rows, batch_size=16)
    return loader, get_peft_model(model, AdaLoraConfig(total_step=len(rows) * epochs, task_type="CAUSAL_LM"))
