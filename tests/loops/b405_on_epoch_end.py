# style: trainer
# runs: raises AttributeError at step 12
import torch
from peft import AdaLoraConfig, TaskType, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments


class AllocateCallback(TrainerCallback):
    def on_epoch_end(self, args, state, control, **kwargs):  # expect: ADA405
        kwargs["model"].update_and_allocate(state.global_step)


model = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
)
config = AdaLoraConfig(
    init_r=4,
    target_r=2,
    tinit=2,
    tfinal=3,
    deltaT=2,
    lora_alpha=16,
    target_modules=["q_proj", "v_proj"],
    task_type=TaskType.CAUSAL_LM,
    total_step=12,
)
model = get_peft_model(model, config)
rows = [{"input_ids": ids, "labels": ids} for ids in torch.randint(0, 32, (24, 8)).tolist()]
trainer = Trainer(
    model=model,
    args=TrainingArguments(
        "out", max_steps=12, per_device_train_batch_size=2, save_strategy="no", report_to="none", use_cpu=True
    ),
    train_dataset=rows,
    callbacks=[AllocateCallback],
)
trainer.train()
