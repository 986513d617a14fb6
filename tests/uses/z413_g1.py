# guilty of ADA413: other adapter name in add_adapter (get_peft_model raises ValueError on PEFT)
from transformers import AutoModelForCausalLM
from peft import AdaLoraConfig, get_peft_model
model = AutoModelForCausalLM.from_pretrained("gpt2")
cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
model.add_adapter(cfg, adapter_name="mine")
model = get_peft_model(model, cfg)
