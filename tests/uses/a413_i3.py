# innocent of ADA413: base re-loaded
from transformers import AutoModel
from peft import AdaLoraConfig, get_peft_model
cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
model = AutoModel.from_pretrained("a")
model.add_adapter(AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True))
x = model(1)
model = AutoModel.from_pretrained("a")
model = get_peft_model(model, cfg)
