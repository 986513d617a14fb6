# innocent of ADA426: closure wraps later
from peft import AdaLoraConfig, get_peft_model
cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
def build(base):
    return get_peft_model(base, cfg)
cfg.target_r = 4
model = build(base)
