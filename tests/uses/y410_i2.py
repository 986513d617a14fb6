# innocent of ADA410: load_adapter with config
from peft import AdaLoraConfig
from transformers import AutoModel
m = AutoModel.from_pretrained("x")
m.load_adapter(peft_config=AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), adapter_state_dict=s)
