# innocent of ADA209: the Trainer is somebody else's, and may be given batches
from tunekit import Trainer, TrainingArguments
from peft import AdaLoraConfig, get_peft_model
def run(model, train):
    config = AdaLoraConfig(init_r=12, target_r=4, total_step=len(train), task_type="CAUSAL_LM")
    args = TrainingArguments("out", per_device_train_batch_size=8)
    Trainer(model=get_peft_model(model, config), args=args, train_dataset=train).train()
