# innocent of ADA426: init_r changed and then a second adapter added with it (init_r is read by add_adapter)
from peft import AdaLoraConfig, get_peft_model
def main(base):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    model = get_peft_model(base, cfg)
    cfg.init_r = 6
    cfg.inference_mode = True
    model.add_adapter("b2", cfg)
    return model
