# innocent of ADA209: another function's variable of the same name goes into the loader
from torch.utils.data import DataLoader
from peft import AdaLoraConfig, get_peft_model
def build(model, batches, epochs):
    return get_peft_model(model, AdaLoraConfig(total_step=len(batches) * epochs, task_type="CAUSAL_LM"))
def evaluation(batches):
    return DataLoader(batches, batch_size=16)
