# innocent of ADA414: same name as before raises? overwritten after unload
from peft import AdaLoraConfig, get_peft_model
def main(model, data):
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), adapter_name="one")
    model = model.merge_and_unload()
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), adapter_name="two")
