# innocent of ADA413: PEFT add_adapter(name, config)
from peft import AdaLoraConfig, get_peft_model
def main(model):
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    model.add_adapter("x", AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True))
    return model
