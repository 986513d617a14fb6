# innocent of ADA415: name is part of a component that this model has not (encoder for gpt2), never saved
from peft import AdaLoraConfig, get_peft_model
from transformers import AutoModelForCausalLM
base = AutoModelForCausalLM.from_pretrained("gpt2")
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), adapter_name="encoder")
