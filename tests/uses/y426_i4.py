# innocent of ADA426: budgets refreshed by hand with _set_budget_scheduler
from peft import AdaLoraConfig, get_peft_model
def main(a):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    m = get_peft_model(a, cfg)
    cfg.target_r = 2
    m.base_model.model
    alloc = getattr(m.base_model, "rank" + "allocator")
    alloc._set_budget_scheduler(m)
    return m
