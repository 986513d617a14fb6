# innocent of ADA209: per_device_train_batch_size=1 via Trainer, map batch_size=1000
from transformers import TrainingArguments
from datasets import load_dataset
from peft import AdaLoraConfig, get_peft_model
ds = load_dataset("imdb", split="train").map(tok, batched=True, batch_size=1000)
args = TrainingArguments("o", per_device_train_batch_size=1)
config = AdaLoraConfig(init_r=12, target_r=8, total_step=len(ds) * 2, task_type="SEQ_CLS")
