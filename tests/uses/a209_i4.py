# innocent of ADA209: max_steps equals it
from transformers import TrainingArguments
from peft import AdaLoraConfig, get_peft_model
def main(train_dataset):
    steps = len(train_dataset) * 2
    args = TrainingArguments("o", max_steps=steps, per_device_train_batch_size=8)
    return args, AdaLoraConfig(init_r=12, target_r=8, total_step=steps, task_type="CAUSAL_LM")
