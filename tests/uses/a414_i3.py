# innocent of ADA414: first set to inference by attribute
from peft import AdaLoraConfig, get_peft_model
def main(model):
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), adapter_name="one")
    model.peft_config["one"].inference_mode = True
    model.add_adapter("two", AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
