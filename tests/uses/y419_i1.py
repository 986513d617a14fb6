# innocent of ADA419: name rebound in branch, early return
from peft import AdaLoraConfig, LoraConfig, get_peft_model
def main(base, kind):
    if kind == "ada":
        model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
        return model
    model = get_peft_model(base, LoraConfig(r=4))
    model.add_weighted_adapter(["default"], [1.0], "x")
    return model
