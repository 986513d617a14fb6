# innocent of ADA410: dropped in print count of params then model unused but name in log
from peft import AdaLoraConfig, get_peft_model
def count(model):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    get_peft_model(model, cfg)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
