# innocent of ADA419: method conditional on config kind
from peft import AdaLoraConfig, LoraConfig, get_peft_model
def main(base, ada):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM") if ada else LoraConfig(r=8)
    model = get_peft_model(base, cfg)
    if not ada:
        model.add_weighted_adapter(["default"], [0.5], "half")
