# innocent of ADA210: loader yields already big batches; accumulation in another config not used (gradient_accumulation_steps=1 and 4)
from torch.utils.data import DataLoader
from peft import AdaLoraConfig, get_peft_model
def main(train, accum):
    loader = DataLoader(train, batch_size=8)
    steps = len(loader) // accum
    return AdaLoraConfig(init_r=12, target_r=8, total_step=steps * 2, task_type="CAUSAL_LM")
