# innocent of ADA410: dropped then trial model thrown away for fresh base of same name
from peft import AdaLoraConfig, get_peft_model
from transformers import AutoModelForCausalLM
cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
base = AutoModelForCausalLM.from_pretrained("gpt2")
get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
base = AutoModelForCausalLM.from_pretrained("gpt2")
model = get_peft_model(base, cfg)
