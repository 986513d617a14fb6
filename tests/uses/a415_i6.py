# innocent of ADA415: "value" but target_modules k_proj only & gpt2? unclear
from peft import AdaLoraConfig, get_peft_model
cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", target_modules=["k_proj"])
model = get_peft_model(base, cfg, adapter_name="value")
model.save_pretrained("o")
