# innocent of ADA426: model.peft_config default changed, then saved as config for a new model
from peft import AdaLoraConfig, get_peft_model
def main(a, b):
    m = get_peft_model(a, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    m.peft_config["default"].target_r = 4
    n = get_peft_model(b, m.peft_config["default"])
    return n
