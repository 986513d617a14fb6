# innocent of ADA426: copy is changed
import copy
from peft import AdaLoraConfig, get_peft_model
def main(a, b):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    m = get_peft_model(a, cfg)
    other = copy.deepcopy(cfg)
    other.target_r = 4
    return m, get_peft_model(b, other)
