# guilty of ADA419: loaded
from peft import AdaLoraConfig, PeftModel, get_peft_model
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
model.load_adapter("other", adapter_name="other")
model.add_weighted_adapter(["default", "other"], [0.5, 0.5], "mix", combination_type="svd")
