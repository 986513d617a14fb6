# innocent of ADA413: deleted before
from peft import AdaLoraConfig, get_peft_model
def main(model):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    model.add_adapter(cfg)
    model.delete_adapter("default")
    return get_peft_model(model, cfg)
