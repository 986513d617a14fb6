# guilty of ADA426: active
from peft import AdaLoraConfig, get_peft_model
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
model.active_peft_config.beta2 = 0.9
