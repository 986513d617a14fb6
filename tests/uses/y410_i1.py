# innocent of ADA410: add_adapter inference by later attribute
from peft import AdaLoraConfig
from transformers import AutoModel
cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
cfg.inference_mode = True
m = AutoModel.from_pretrained("x")
m.add_adapter(cfg)
m.load_state_dict(s, strict=False)
