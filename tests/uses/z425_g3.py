# guilty of ADA425: Trainer callback, adalora mentioned
from peft import PeftModel
from transformers import Trainer, TrainerCallback
class AdaLoraCallback(TrainerCallback):
    def on_optimizer_step(self, args, state, control, model=None, **kw):
        model.base_model.update_and_allocate(state.global_step)
model = PeftModel.from_pretrained(base, "ada", is_trainable=True)
Trainer(model=model, args=args, train_dataset=ds, callbacks=[AdaLoraCallback()]).train()
