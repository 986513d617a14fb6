# innocent of ADA426: early return
from peft import AdaLoraConfig, get_peft_model
def main(a, b, small):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    if not small:
        return get_peft_model(a, cfg)
    cfg.target_r = 2
    return get_peft_model(b, cfg)
