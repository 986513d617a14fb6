# guilty of ADA414: loop over names
from peft import AdaLoraConfig, get_peft_model
def main(model, names):
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), adapter_name="one")
    for n in names:
        model.add_adapter(n, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
