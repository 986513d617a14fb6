# innocent of ADA429: evaluation loop only
import torch
from peft import AdaLoraConfig, get_peft_model
def main(base, loader, state):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True))
    model.load_state_dict(state)
    with torch.no_grad():
        for b in loader:
            model(**b)
