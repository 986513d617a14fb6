# innocent of ADA414: other model of the same name in another function
from peft import AdaLoraConfig, get_peft_model
def a(model):
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    return model
def b(model):
    model.add_adapter(AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True), "x")
