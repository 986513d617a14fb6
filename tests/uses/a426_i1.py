# innocent of ADA426: config changed for the next model
from peft import AdaLoraConfig, get_peft_model
def main(a, b):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    m1 = get_peft_model(a, cfg)
    cfg.target_r = 4
    m2 = get_peft_model(b, cfg)
    return m1, m2
