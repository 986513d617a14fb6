# innocent of ADA410: add_adapter of PeftModel first + used
from peft import AdaLoraConfig, get_peft_model
def main(model):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    m = get_peft_model(model, cfg)
    infer = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True)
    m.add_adapter("b", infer)
    return m
