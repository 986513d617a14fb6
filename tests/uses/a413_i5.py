# innocent of ADA413: try/except fallback
from peft import AdaLoraConfig, get_peft_model
def main(model):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    try:
        model = get_peft_model(model, cfg)
    except TypeError:
        model.add_adapter(cfg)
    return model
