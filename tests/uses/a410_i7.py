# innocent of ADA410: own class add_adapter registers a config (not transformers)
from peft import AdaLoraConfig, get_peft_model
class Registry:
    def __init__(self):
        self.known = {}
    def add_adapter(self, config, name="default"):
        self.known[name] = config
    def build(self, model, name="default"):
        return get_peft_model(model, self.known[name])
registry = Registry()
registry.add_adapter(AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
