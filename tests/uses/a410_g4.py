# guilty of ADA410: inject, alias import
import peft
def build(model):
    return peft.inject_adapter_in_model(peft.AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000), model, "default")
