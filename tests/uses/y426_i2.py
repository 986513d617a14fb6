# innocent of ADA426: early return w/ other wrapping through helper
from peft import AdaLoraConfig, get_peft_model
def wrap(base, cfg):
    return get_peft_model(base, cfg)
def main(a, b):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    m = wrap(a, cfg)
    cfg.target_r = 2
    n = wrap(b, cfg)
    return m, n
