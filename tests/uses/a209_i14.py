# innocent of ADA209: the name is a loader by the time it is measured
from torch.utils.data import DataLoader
from peft import AdaLoraConfig, get_peft_model
def build(model, rows, epochs):
    rows = DataLoader(rows, batch_size=16)
    return rows, get_peft_model(model, AdaLoraConfig(total_step=len(rows) * epochs, task_type="CAUSAL_LM"))
