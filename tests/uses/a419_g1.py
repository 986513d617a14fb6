# guilty of ADA419: plain
from peft import AdaLoraConfig, get_peft_model
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
model.base_model.add_weighted_adapter(adapters=["default"], weights=[0.5], adapter_name="half")
