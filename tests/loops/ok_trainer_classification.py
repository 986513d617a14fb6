# style: trainer
# runs: live 8 kept 8; steps 0..11
import torch
from peft import AdaLoraConfig, TaskType, get_peft_model
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainerCallback, TrainingArguments


class Allocate(TrainerCallback):
    def on_optimizer_step(self, args, state, control, model=None, **kwargs):
        model.update_and_allocate(state.global_step)


model = BertForSequenceClassification(
    BertConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
)
config = AdaLoraConfig(
    task_type=TaskType.SEQ_CLS,
    init_r=4,
    target_r=2,
    tinit=2,
    tfinal=3,
    deltaT=2,
    total_step=12,
    target_modules=["query", "value"],
)
model = get_peft_model(model, config)
rows = [{"input_ids": ids, "labels": sum(ids) % 2} for ids in torch.randint(0, 32, (24, 8)).tolist()]
args = TrainingArguments("out", num_train_epochs=1, per_device_train_batch_size=2, save_strategy="no", report_to="none", use_cpu=True)
Trainer(model=model, args=args, train_dataset=rows, callbacks=[Allocate()]).train()
