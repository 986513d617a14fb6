# guilty of ADA414: keywords
from peft import AdaLoraConfig, get_peft_model
cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
model = get_peft_model(base, cfg)
model.add_adapter(adapter_name="second", peft_config=AdaLoraConfig(init_r=8, target_r=4, total_step=100))
