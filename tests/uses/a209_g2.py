# guilty of ADA209: Trainer
from transformers import TrainingArguments, Trainer
from datasets import load_dataset
from peft import AdaLoraConfig, get_peft_model
raw = load_dataset("squad")
tokenized = raw.map(tok, batched=True, remove_columns=raw["train"].column_names)
args = TrainingArguments("o", per_device_train_batch_size=16, num_train_epochs=3)
cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(tokenized["train"]) * args.num_train_epochs, task_type="QUESTION_ANS")
