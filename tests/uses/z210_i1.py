# innocent of ADA210: accumulation only in TrainingArguments of the baseline, AdaLoRA loop by hand per batch through self.step
from transformers import TrainingArguments
from peft import AdaLoraConfig, get_peft_model
baseline = TrainingArguments("b", gradient_accumulation_steps=4)
class Run:
    def __init__(self, base, train_loader):
        self.loader = train_loader
        self.step = 0
        self.model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_loader), task_type="CAUSAL_LM"))
    def fit(self, optimizer):
        for batch in self.loader:
            self.model(**batch).loss.backward()
            optimizer.step()
            self.model.base_model.update_and_allocate(self.step)
            self.step += 1
            optimizer.zero_grad()
