# innocent of ADA209: the length is that of what is evaluated on, whatever that means
from transformers import Trainer, TrainingArguments
from peft import AdaLoraConfig, get_peft_model
def run(model, train, test):
    config = AdaLoraConfig(init_r=12, target_r=4, total_step=len(test), task_type="CAUSAL_LM")
    args = TrainingArguments("out", per_device_train_batch_size=8)
    Trainer(model=get_peft_model(model, config), args=args, train_dataset=train, eval_dataset=test).train()
