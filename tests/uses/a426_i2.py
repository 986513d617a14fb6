# innocent of ADA426: sweep in loop
from peft import AdaLoraConfig, get_peft_model
def main(make, loader, opt):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    for r in (2, 4, 8):
        cfg.target_r = r
        model = get_peft_model(make(), cfg)
        yield model
