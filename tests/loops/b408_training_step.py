# style: subclass
# runs: raises KeyError at step 9
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments


class BudgetTrainer(Trainer):
    def training_step(self, *args, **kwargs):  # expect: ADA408
        loss = super().training_step(*args, **kwargs)
        self.model.base_model.update_and_allocate(self.state.global_step)
        return loss


model = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
)
config = AdaLoraConfig(
    init_r=4,
    target_r=2,
    tinit=2,
    tfinal=3,
    deltaT=2,
    orth_reg_weight=0,
    target_modules=["q_proj", "v_proj"],
    task_type="CAUSAL_LM",
    total_step=12,
)
model = get_peft_model(model, config)
rows = [{"input_ids": ids, "labels": ids} for ids in torch.randint(0, 32, (24, 8)).tolist()]
args = TrainingArguments(
    output_dir="out",
    max_steps=12,
    gradient_accumulation_steps=2,
    per_device_train_batch_size=1,
    save_strategy="no",
    report_to="none",
    use_cpu=True,
)
BudgetTrainer(model=model, args=args, train_dataset=rows).train()
