# guilty of ADA415: q
from peft import AdaLoraConfig, get_peft_model
cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", target_modules=["q_proj"])
model = get_peft_model(base, cfg, "q")
model.save_pretrained("o")
