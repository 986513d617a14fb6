# innocent of ADA429: flag from argparse
import argparse
from peft import AdaLoraConfig, get_peft_model
p = argparse.ArgumentParser()
p.add_argument("--infer", action="store_true")
a = p.parse_args()
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=a.infer))
if not a.infer:
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
