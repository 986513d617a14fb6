# innocent of ADA209: batch_size from argparse default may be 1 / math.ceil
import math, argparse
from torch.utils.data import DataLoader
from peft import AdaLoraConfig, get_peft_model
p = argparse.ArgumentParser()
p.add_argument("--batch_size", type=int, default=8)
args = p.parse_args()
def main(train_dataset):
    return AdaLoraConfig(init_r=12, target_r=8, total_step=math.ceil(len(train_dataset) / args.batch_size) * 3, task_type="CAUSAL_LM")
