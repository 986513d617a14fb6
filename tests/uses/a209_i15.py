# innocent of ADA209: a loader of batches that are made already
from torch.utils.data import DataLoader
from peft import AdaLoraConfig, get_peft_model
def build(model, rows, epochs):
    loader = DataLoader(rows, batch_size=None)
    return loader, get_peft_model(model, AdaLoraConfig(total_step=len(rows) * epochs, task_type="CAUSAL_LM"))
