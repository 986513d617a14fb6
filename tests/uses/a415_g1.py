# guilty of ADA415: lora_x
from peft import AdaLoraConfig, get_peft_model
NAME = "my_lora_adapter"
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), adapter_name=NAME)
