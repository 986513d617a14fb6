# guilty of ADA414: same object again
from peft import AdaLoraConfig, get_peft_model
cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
model = get_peft_model(base, cfg, adapter_name="first")
model.add_adapter("second", cfg)
