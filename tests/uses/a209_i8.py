# innocent of ADA209: map(batched, batch_size=1000) tokenises, trains with loader of 1
from torch.utils.data import DataLoader
from datasets import load_dataset
from peft import AdaLoraConfig, get_peft_model
ds = load_dataset("imdb", split="train").map(tok, batched=True, batch_size=1000)
loader = DataLoader(ds)
config = AdaLoraConfig(init_r=12, target_r=8, total_step=len(ds) * 2, task_type="SEQ_CLS")
