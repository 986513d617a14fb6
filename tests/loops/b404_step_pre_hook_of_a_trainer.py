# style: trainer
# runs: live 16 kept 8; memory differs from saved
# fixed: live 8 kept 8; memory same as saved
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

model = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
)
config = AdaLoraConfig(
    task_type="CAUSAL_LM",
    init_r=4,
    target_r=2,
    tinit=2,
    tfinal=3,
    deltaT=2,
    total_step=12,
    target_modules=["q_proj", "v_proj"],
)
model = get_peft_model(model, config)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
count = 0


def allocate(optimizer, args, kwargs):
    global count
    model.update_and_allocate(count)
    count += 1


optimizer.register_step_pre_hook(allocate)  # expect: ADA404
rows = [{"input_ids": ids, "labels": ids} for ids in torch.randint(0, 32, (24, 8)).tolist()]
args = TrainingArguments(
    "out",
    max_steps=12,
    learning_rate=1e-2,
    per_device_train_batch_size=2,
    save_strategy="no",
    report_to="none",
    use_cpu=True,
)
Trainer(model=model, args=args, train_dataset=rows, optimizers=(optimizer, None)).train()
