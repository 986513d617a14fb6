# guilty of ADA414: base_model.add_adapter? self
from peft import AdaLoraConfig, get_peft_model
class X:
    def __init__(self, base):
        self.model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), "german")
    def more(self):
        self.model.add_adapter("french", AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
