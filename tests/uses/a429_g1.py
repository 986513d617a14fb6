# guilty of ADA429: Trainer
from transformers import Trainer
from peft import AdaLoraConfig, get_peft_model
def main(base, args, ds):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True))
    t = Trainer(model=model, args=args, train_dataset=ds)
    t.train()
