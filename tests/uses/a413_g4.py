# guilty of ADA413: early return does not exclude, other config
from peft import AdaLoraConfig, get_peft_model
def main(model, train):
    model.add_adapter(AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    if not train:
        return model
    cfg2 = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    return get_peft_model(model, cfg2)
