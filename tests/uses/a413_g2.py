# guilty of ADA413: inject, then wrap
from peft import AdaLoraConfig, get_peft_model, inject_adapter_in_model
def main(model):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    inject_adapter_in_model(cfg, model)
    return get_peft_model(model, cfg)
