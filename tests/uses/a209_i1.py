# innocent of ADA209: batches come as dataset.batch()
from datasets import load_dataset
from peft import AdaLoraConfig, get_peft_model
ds = load_dataset("imdb", split="train")
train_dataset = ds.batch(batch_size=16)
config = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_dataset), task_type="SEQ_CLS")
