# innocent of ADA210: accelerator prepared, math.ceil
import math
from accelerate import Accelerator
from peft import AdaLoraConfig, get_peft_model
acc = Accelerator(gradient_accumulation_steps=4)
updates = math.ceil(len(train_loader) / 4)
config = AdaLoraConfig(init_r=12, target_r=8, total_step=updates * 3, task_type="CAUSAL_LM")
