# innocent of ADA210: total_step set later properly
from accelerate import Accelerator
from peft import AdaLoraConfig, get_peft_model
def main(model, train_loader):
    accelerator = Accelerator(gradient_accumulation_steps=2)
    config = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_loader), task_type="CAUSAL_LM")
    config.total_step = len(train_loader) // 2 * 3
    return get_peft_model(model, config)
