# guilty of ADA210: argparse default 4
import argparse
from peft import AdaLoraConfig, get_peft_model
p = argparse.ArgumentParser()
p.add_argument("--gradient_accumulation_steps", type=int, default=4)
args = p.parse_args()
from transformers import TrainingArguments
targs = TrainingArguments("o", gradient_accumulation_steps=args.gradient_accumulation_steps)
cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_loader), task_type="CAUSAL_LM")
