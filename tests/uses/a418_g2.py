# guilty of ADA418: Trainer
from transformers import Trainer, TrainerCallback
from peft import AdaLoraConfig, get_peft_model
class C(TrainerCallback):
    def on_optimizer_step(self, args, state, control, model=None, **kw):
        model.base_model.update_and_allocate(state.global_step)
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
trainer = Trainer(model=model, args=args, train_dataset=ds, callbacks=[C()])
trainer.train()
model.print_trainable_parameters()
