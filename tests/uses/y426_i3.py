# innocent of ADA426: returned config is used by the caller for another model
from peft import AdaLoraConfig, get_peft_model
def first(a):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    m = get_peft_model(a, cfg)
    cfg.target_r = 2
    return m, cfg
