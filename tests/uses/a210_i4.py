# innocent of ADA210: max_steps same expression
from transformers import TrainingArguments
from peft import AdaLoraConfig, get_peft_model
def main(train_loader):
    n = len(train_loader) * 3
    args = TrainingArguments("o", max_steps=n, gradient_accumulation_steps=4)
    return args, AdaLoraConfig(init_r=12, target_r=8, total_step=n, task_type="CAUSAL_LM")
