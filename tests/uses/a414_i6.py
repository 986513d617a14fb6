# innocent of ADA414: second is inference set by attribute
from peft import AdaLoraConfig, get_peft_model
def main(model):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    second = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    second.inference_mode = True
    model.add_adapter("two", second)
