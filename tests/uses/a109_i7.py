# innocent of ADA109: several models wrapped by one config, all trained after (parallel towers), no save before own mask... still shared pattern, but rule: training between
from peft import AdaLoraConfig, get_peft_model
def main(q_base, p_base, loader, optimizer):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    q = get_peft_model(q_base, cfg)
    p = get_peft_model(p_base, cfg)
    return q, p
