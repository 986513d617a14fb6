# style: trainer
# runs: live 8 kept 8; penalty dropped
import torch
from peft import AdaLoraConfig, TaskType, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments


class Allocate(TrainerCallback):
    def on_optimizer_step(self, args, state, control, model=None, **kwargs):
        model.update_and_allocate(state.global_step)


def token_loss(outputs, labels, num_items_in_batch=None):
    logits = outputs["logits"][:, :-1]
    return torch.nn.functional.cross_entropy(logits.reshape(-1, 32), labels[:, 1:].reshape(-1))


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
args = TrainingArguments("out", max_steps=12, per_device_train_batch_size=2, save_strategy="no", report_to="none", use_cpu=True)
trainer = Trainer(
    model=model,
    args=args,
    train_dataset=rows,
    compute_loss_func=token_loss,  # expect: ADA416
    callbacks=[Allocate()],
)
trainer.train()
