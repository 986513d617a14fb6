# guilty of ADA109: Trainer with callback per fold
from transformers import Trainer, TrainerCallback, TrainingArguments
from peft import AdaLoraConfig, get_peft_model
class C(TrainerCallback):
    def on_optimizer_step(self, args, state, control, model=None, **kw):
        model.base_model.update_and_allocate(state.global_step)
def main(folds, make, args):
    config = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    for train, val in folds:
        model = get_peft_model(make(), config)
        trainer = Trainer(model=model, args=args, train_dataset=train, eval_dataset=val, callbacks=[C()])
        trainer.train()
        model.save_pretrained("x")
