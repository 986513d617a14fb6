# innocent of ADA419: if/elif sets model, merge only for lora (flag)
from peft import AdaLoraConfig, LoraConfig, get_peft_model
def main(base, kind):
    if kind == "ada":
        model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    else:
        model = get_peft_model(base, LoraConfig(r=4))
    if kind == "lora":
        model.add_weighted_adapter(["default"], [1.0], "x")
    return model
