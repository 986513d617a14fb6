# innocent of ADA410: AdaLoraModel made by hand
from peft import AdaLoraConfig, AdaLoraModel
def main(model):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    return AdaLoraModel(model, cfg, "default")
