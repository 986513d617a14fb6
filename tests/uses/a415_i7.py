# innocent of ADA415: "lora_" name but LoRA config; adalora named default
from peft import AdaLoraConfig, LoraConfig, get_peft_model
m1 = get_peft_model(a, LoraConfig(r=8), adapter_name="lora_a")
m2 = get_peft_model(b, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
