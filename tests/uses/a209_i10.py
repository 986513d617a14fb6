# innocent of ADA209: SFTConfig(per_device_train_batch_size=1), dataset
from trl import SFTConfig
from datasets import load_dataset
from peft import AdaLoraConfig, get_peft_model
ds = load_dataset("imdb", split="train")
args = SFTConfig("o", per_device_train_batch_size=1, num_train_epochs=1)
config = AdaLoraConfig(init_r=12, target_r=8, total_step=len(ds), task_type="CAUSAL_LM")
