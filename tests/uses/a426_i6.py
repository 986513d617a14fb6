# innocent of ADA426: allocator rebuilt by re-adding: config re-used for from-scratch re-init by AdaLoraModel
from peft import AdaLoraConfig, AdaLoraModel, get_peft_model
def main(a, b):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    m = get_peft_model(a, cfg)
    cfg.init_r = 6
    n = AdaLoraModel(b, cfg, "default")
    return m, n
