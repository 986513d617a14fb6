# innocent of ADA413: name re-bound by loader function
from peft import AdaLoraConfig, get_peft_model
def main(load):
    model = load("a")
    model.add_adapter(AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True))
    model.eval()
    model = load("b")
    return get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
