# innocent of ADA415: language adapter en on llama
from transformers import AutoModelForCausalLM
from peft import AdaLoraConfig, get_peft_model
base = AutoModelForCausalLM.from_pretrained("meta-llama/Llama-3.2-1B")
m = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", target_modules=["q_proj", "v_proj"]), adapter_name="en")
m.save_pretrained("o")
